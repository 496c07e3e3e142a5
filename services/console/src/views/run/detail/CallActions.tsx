import { isRunEnded } from '@toolstream/proto-events';
import { type ToolState, useRunControls, useRunSelector } from '@toolstream/react';
import { CircleStop, RotateCcw, StepForward } from 'lucide-react';
import { useState } from 'react';
import { useShortcuts } from '../../../shell/view-shortcuts.ts';
import { Button, ConfirmDialog } from '../../../ui/index.ts';
import { toolOffers } from '../model/controls.ts';
import { callNumber } from '../model/order.ts';
import { useRerun } from '../use-rerun.ts';
import { useViewer } from '../use-viewer.ts';
import styles from './CallActions.module.css';

/** What can be asked of the call itself; what the service would refuse is not offered. */
export function CallActions({ id, tool }: { readonly id: string; readonly tool: ToolState }) {
  const viewer = useViewer();
  const status = useRunSelector(id, ({ run }) => run?.status ?? 'accepted');
  const { cancelTool, retryTool } = useRunControls(id);
  const [cancelling, setCancelling] = useState(false);
  const rerun = useRerun(id);
  const { cancel, retry } = toolOffers({ status }, tool, viewer);
  const name = `${callNumber(tool.index)} ${tool.name}`;
  useShortcuts([
    { key: 'x', words: 'Cancel the open call, after a question', act: () => cancel.offered && setCancelling(true) },
    { key: 'r', words: 'Try the open call again', act: () => retry.offered && void retryTool(tool.index) },
  ]);
  return (
    <div className={styles.actions}>
      {retry.offered && (
        <Button size="s" icon={<RotateCcw aria-hidden />} onPress={() => void retryTool(tool.index)}>
          Retry
        </Button>
      )}
      {cancel.offered && (
        <Button size="s" variant="danger" icon={<CircleStop aria-hidden />} onPress={() => setCancelling(true)}>
          Cancel call
        </Button>
      )}
      {isRunEnded(status) && viewer.write && tool.index > 0 && (
        <Button
          size="s"
          icon={<StepForward aria-hidden />}
          isPending={rerun.isPending}
          onPress={() => rerun.mutate(tool.index)}
        >
          Run again from here
        </Button>
      )}
      <ConfirmDialog
        isOpen={cancelling}
        onClose={() => setCancelling(false)}
        title={`Cancel ${name}?`}
        confirmLabel="Cancel the call"
        tone="danger"
        reasonLabel="Why? (optional)"
        onConfirm={async (reason) => {
          // Not waited for: what becomes of it is shown with the call.
          void cancelTool(tool.index, { reason });
        }}
      >
        <p>
          It is asked to stop, and stopped if it does not. What was done stays done. Calls that depend on it are
          skipped; it can be tried again while the run goes on.
        </p>
      </ConfirmDialog>
    </div>
  );
}

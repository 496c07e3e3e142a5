import { useNavigate } from '@tanstack/react-router';
import { useRunControls, useRunSelector } from '@toolstream/react';
import { CircleStop, Pause, PenLine, Play, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { useShortcuts } from '../../../shell/view-shortcuts.ts';
import { Button, ConfirmDialog } from '../../../ui/index.ts';
import { runOffers } from '../model/controls.ts';
import { wishFor } from '../model/wishes.ts';
import { useRerun } from '../use-rerun.ts';
import { useViewer } from '../use-viewer.ts';
import styles from './RunActions.module.css';
import { Wish } from './Wish.tsx';

/** Pause, resume, cancel and run again, as it was or changed, with the keys for it. What was asked shows at once, below. */
export function RunActions({ id }: { readonly id: string }) {
  const viewer = useViewer();
  const status = useRunSelector(id, ({ run }) => run?.status ?? 'accepted');
  const { pause, resume, cancel } = useRunControls(id);
  const asked = useRunSelector(id, ({ pending }) => wishFor(pending)?.command);
  const [cancelling, setCancelling] = useState(false);
  const rerun = useRerun(id);
  const navigate = useNavigate();
  const offers = runOffers({ status }, viewer);
  const pauseOrResume = () => {
    if (offers.resume.offered) void resume();
    else if (offers.pause.offered) void pause();
  };
  useShortcuts([
    { key: 'p', words: 'Pause or resume the run', act: pauseOrResume },
    { key: 'c', words: 'Cancel the run, after a question', act: () => offers.cancel.offered && setCancelling(true) },
  ]);
  return (
    <div className={styles.actions}>
      <div className={styles.buttons}>
        {status === 'paused' ? (
          <Button
            variant="primary"
            icon={<Play aria-hidden />}
            isDisabled={!offers.resume.offered}
            isPending={asked === 'resume'}
            onPress={() => void resume()}
          >
            Resume
          </Button>
        ) : (
          (offers.pause.offered || offers.pause.why !== undefined) && (
            <Button
              icon={<Pause aria-hidden />}
              isDisabled={!offers.pause.offered}
              isPending={asked === 'pause'}
              onPress={() => void pause()}
            >
              Pause
            </Button>
          )
        )}
        {(offers.cancel.offered || offers.cancel.why !== undefined) && (
          <Button
            variant="danger"
            icon={<CircleStop aria-hidden />}
            isDisabled={!offers.cancel.offered}
            isPending={asked === 'cancel'}
            onPress={() => setCancelling(true)}
          >
            Cancel run
          </Button>
        )}
        <Button
          icon={<RotateCcw aria-hidden />}
          isDisabled={!offers.rerun.offered}
          isPending={rerun.isPending}
          onPress={() => rerun.mutate(0)}
        >
          Run again
        </Button>
        <Button
          icon={<PenLine aria-hidden />}
          isDisabled={!offers.rerun.offered}
          onPress={() => void navigate({ to: '/new', search: { from: id } })}
        >
          Change and run
        </Button>
      </div>
      <Wish id={id} />
      <ConfirmDialog
        isOpen={cancelling}
        onClose={() => setCancelling(false)}
        title="Cancel this run?"
        confirmLabel="Cancel the run"
        tone="danger"
        reasonLabel="Why? (optional)"
        onConfirm={async (reason) => {
          // Not waited for: what becomes of it is shown with the run.
          void cancel({ reason });
        }}
      >
        <p>
          Calls that run are asked to stop, and stopped if they do not. Calls that wait never start. What was done stays
          done. This cannot be taken back.
        </p>
      </ConfirmDialog>
    </div>
  );
}

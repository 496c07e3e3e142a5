import { type ToolState, useRunControls, useRunSelector } from '@toolstream/react';
import { RotateCcw, TriangleAlert } from 'lucide-react';
import { Button } from '../../../ui/index.ts';
import { JsonView } from '../json/JsonView.tsx';
import { toolOffers } from '../model/controls.ts';
import { helpFor } from '../model/help.ts';
import { Notice } from '../parts/Notice.tsx';
import { useViewer } from '../use-viewer.ts';
import styles from './Failure.module.css';

/** What went wrong, what its code means, and what can be done about it. */
export function Failure({ id, tool }: { readonly id: string; readonly tool: ToolState }) {
  const viewer = useViewer();
  const status = useRunSelector(id, ({ run }) => run?.status ?? 'accepted');
  const { retryTool } = useRunControls(id);
  const { error } = tool;
  if (!error || tool.status !== 'failed') return null;
  const { meaning, advice, retry } = helpFor(error);
  const offered = retry && toolOffers({ status }, tool, viewer).retry.offered;
  return (
    <div data-testid="failure">
      <Notice tone="bad" Icon={TriangleAlert} title={error.message}>
        <div className={styles.help}>
          <p>
            {meaning !== undefined && `${meaning} `}
            <code>{error.code}</code>
          </p>
          <p>
            <strong>What to do: </strong>
            {advice}
          </p>
          {error.details !== undefined && (
            <JsonView id={id} label={`Details of the error of ${tool.name}`} value={error.details} />
          )}
          {offered && (
            <div>
              <Button size="s" icon={<RotateCcw aria-hidden />} onPress={() => void retryTool(tool.index)}>
                Retry it now
              </Button>
            </div>
          )}
        </div>
      </Notice>
    </div>
  );
}

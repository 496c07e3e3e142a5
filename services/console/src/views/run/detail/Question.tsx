import { type ToolState, useRunControls, useRunSelector } from '@toolstream/react';
import { Check, PenLine, UserRoundCheck, X } from 'lucide-react';
import { useState } from 'react';
import { duration, fullTime } from '../../../format/index.ts';
import { Button, ConfirmDialog } from '../../../ui/index.ts';
import { JsonView } from '../json/JsonView.tsx';
import { toolOffers, whoMayAnswer } from '../model/controls.ts';
import { callNumber } from '../model/order.ts';
import { useServiceNow } from '../use-service-now.ts';
import { useViewer } from '../use-viewer.ts';
import { AnswerDialog } from './AnswerDialog.tsx';
import styles from './Question.module.css';

const TITLES = {
  policy: 'May this run?',
  lost_attempt: 'Its executor was lost halfway. May it run again?',
  input: 'It asks before it goes on',
} as const;
const HINTS = {
  policy: 'Nothing has been done yet.',
  lost_attempt:
    'How far it came is not known, and running it twice may not be the same as once: look at what it has done first.',
  input: 'Approve it with the answer in its arguments; it then runs anew with them.',
} as const;

/** A call that waits for somebody's answer: what is asked, who may answer, until when, and the answers. */
export function Question({ id, tool }: { readonly id: string; readonly tool: ToolState }) {
  if (tool.status !== 'awaiting_approval' || !tool.approval) return null;
  return <Asked id={id} tool={tool} approval={tool.approval} />;
}

interface AskedProps {
  readonly id: string;
  readonly tool: ToolState;
  readonly approval: NonNullable<ToolState['approval']>;
}

function Asked({ id, tool, approval }: AskedProps) {
  const viewer = useViewer();
  const status = useRunSelector(id, ({ run }) => run?.status ?? 'accepted');
  const { approveTool, denyTool } = useRunControls(id);
  const [dialog, setDialog] = useState<'edit' | 'deny'>();
  const { offered, why } = toolOffers({ status }, tool, viewer).answer;
  const { reason, request } = approval;
  const name = `${callNumber(tool.index)} ${tool.name}`;
  return (
    <section className={styles.question} aria-label={`Question of ${name}`} data-testid="question">
      <header className={styles.header}>
        <UserRoundCheck aria-hidden />
        <h3 className={styles.title}>{TITLES[reason]}</h3>
      </header>
      {request !== undefined && <p className={styles.request}>{request.message}</p>}
      <p>{HINTS[reason]}</p>
      <p className={styles.who}>
        {whoMayAnswer(tool)} {approval.expires_at !== undefined && <Expiry id={id} at={approval.expires_at} />}
      </p>
      {request?.schema !== undefined && (
        <JsonView id={id} label="What the answer has to look like" value={request.schema} />
      )}
      {why !== undefined && <p className={styles.why}>{why}</p>}
      <div className={styles.buttons}>
        <Button
          variant="primary"
          icon={<Check aria-hidden />}
          isDisabled={!offered}
          onPress={() => void approveTool(tool.index)}
        >
          Approve
        </Button>
        <Button icon={<PenLine aria-hidden />} isDisabled={!offered} onPress={() => setDialog('edit')}>
          Approve with changes…
        </Button>
        <Button variant="danger" icon={<X aria-hidden />} isDisabled={!offered} onPress={() => setDialog('deny')}>
          Deny…
        </Button>
      </div>
      <AnswerDialog
        isOpen={dialog === 'edit'}
        onClose={() => setDialog(undefined)}
        title={`Approve ${name} with changes`}
        id={id}
        given={tool.arguments}
        onApprove={(answer) => void approveTool(tool.index, answer)}
      />
      <ConfirmDialog
        isOpen={dialog === 'deny'}
        onClose={() => setDialog(undefined)}
        title={`Deny ${name}?`}
        confirmLabel="Deny it"
        tone="danger"
        reasonLabel="Why? The model reads it. (optional)"
        onConfirm={async (comment) => {
          // Not waited for: what becomes of it is shown with the call.
          void denyTool(tool.index, { reason: comment });
        }}
      >
        <p>The call never runs. Calls that depend on it are skipped.</p>
      </ConfirmDialog>
    </section>
  );
}

function Expiry({ id, at }: { readonly id: string; readonly at: string }) {
  const paused = useRunSelector(id, ({ run }) => run?.status === 'paused');
  const now = useServiceNow(id, !paused);
  const left = Date.parse(at) - now;
  if (paused) return <>While the run is paused, the time to answer stands still.</>;
  return (
    <>
      Without an answer it is denied{' '}
      <time dateTime={at} title={fullTime(at)}>
        {left > 0 ? `in ${duration(left)}` : 'at any moment'}
      </time>
      .
    </>
  );
}

import type { Json } from '@toolstream/proto-events';
import type { Answer } from '@toolstream/react';
import { useState } from 'react';
import { asJson, Button, Dialog, TextArea } from '../../../ui/index.ts';
import styles from './AnswerDialog.module.css';

interface AnswerDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  /** Absent: still on its way. */
  readonly given: Json | undefined;
  readonly onApprove: (answer: Answer) => void;
}

/** The arguments to be changed before the call runs with them, and a word on why. */
export function AnswerDialog({ isOpen, onClose, title, given, onApprove }: AnswerDialogProps) {
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={title} size="m">
      {given === undefined ? (
        <p role="status">Fetching the arguments…</p>
      ) : (
        <Form given={given} onClose={onClose} onApprove={onApprove} />
      )}
    </Dialog>
  );
}

/** Mounted with the dialog: what was typed the last time is gone. */
function Form({
  given,
  onClose,
  onApprove,
}: Pick<AnswerDialogProps, 'onClose' | 'onApprove'> & { readonly given: Json }) {
  const before = asJson(given);
  const [text, setText] = useState(before);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<string>();
  const approve = () => {
    const edited = parsed(text);
    if ('problem' in edited) return setProblem(edited.problem);
    const why = reason.trim();
    onApprove({ ...(text === before ? {} : { arguments: edited.value }), ...(why === '' ? {} : { reason: why }) });
    onClose();
  };
  return (
    <>
      <TextArea
        label="Arguments"
        description="JSON. They have to fit the schema of the tool; if they do not, the call goes on waiting."
        mono
        rows={12}
        value={text}
        onChange={(value) => {
          setText(value);
          setProblem(undefined);
        }}
        errorMessage={problem}
        autoFocus
        spellCheck="false"
      />
      <TextArea label="Why? (optional)" rows={2} value={reason} onChange={setReason} maxLength={500} />
      <div className={styles.buttons}>
        <Button onPress={onClose}>Not now</Button>
        <Button variant="primary" onPress={approve}>
          {text === before ? 'Approve' : 'Approve with these arguments'}
        </Button>
      </div>
    </>
  );
}

function parsed(text: string): { readonly value: Json } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { problem: `This is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

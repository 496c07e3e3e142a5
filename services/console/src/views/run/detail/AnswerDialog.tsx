import type { ArtifactRef, Json } from '@toolstream/proto-events';
import type { Answer } from '@toolstream/react';
import { useState } from 'react';
import { asJson, Button, Dialog, DialogButtons, ErrorNotice, TextArea } from '../../../ui/index.ts';
import { parseJson } from '../../new-run/model/json-text.ts';
import { isReference } from '../model/references.ts';
import { useArtifact } from '../use-artifact.ts';

interface AnswerDialogProps {
  /** Of the run. */
  readonly id: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly given: Json;
  readonly onApprove: (answer: Answer) => void;
}

/** The arguments to be changed before the call runs with them, and a word on why. */
export function AnswerDialog({ isOpen, title, ...props }: AnswerDialogProps) {
  const { given, onClose } = props;
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={title} size="m">
      {isReference(given) ? <Apart {...props} given={given} /> : <Form {...props} />}
    </Dialog>
  );
}

type InDialog = Pick<AnswerDialogProps, 'id' | 'given' | 'onClose' | 'onApprove'>;

/** Arguments that are kept apart are fetched first. */
function Apart({ given, ...props }: InDialog & { readonly given: ArtifactRef }) {
  const { data, error, refetch } = useArtifact(props.id, given);
  if (error)
    return <ErrorNotice title="The arguments could not be fetched" error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <p role="status">Fetching the arguments…</p>;
  return <Form {...props} given={JSON.parse(new TextDecoder().decode(data)) as Json} />;
}

/** Mounted with the dialog: what was typed the last time is gone. */
function Form({ given, onClose, onApprove }: InDialog) {
  const [before] = useState(() => asJson(given));
  const [text, setText] = useState(before);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<string>();
  const approve = () => {
    const edited = parseJson(text);
    if (!edited.ok)
      return setProblem(`This is no JSON. Line ${edited.line}, column ${edited.column}: ${edited.message}`);
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
      <DialogButtons>
        <Button onPress={onClose}>Not now</Button>
        <Button variant="primary" onPress={approve}>
          {text === before ? 'Approve' : 'Approve with these arguments'}
        </Button>
      </DialogButtons>
    </>
  );
}

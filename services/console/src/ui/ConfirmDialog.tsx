import { type ReactNode, useState } from 'react';
import { Button } from './Button.tsx';
import { Dialog, DialogButtons } from './Dialog.tsx';
import { ErrorNotice } from './ErrorNotice.tsx';
import { TextArea } from './TextField.tsx';

export interface ConfirmDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  /** What will happen. */
  readonly children?: ReactNode;
  readonly confirmLabel: string;
  readonly tone?: 'primary' | 'danger';
  /** Whether a reason is asked for; it is recorded with the event. */
  readonly reason?: 'none' | 'optional' | 'required';
  readonly reasonLabel?: string;
  /** The dialog closes when it resolves; a rejection is shown in it, and it stays. */
  readonly onConfirm: (reason: string | undefined) => Promise<unknown>;
}

/** Asks before something that others will notice, and for the reason where that matters. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  return (
    <Dialog isOpen={props.isOpen} onClose={props.onClose} title={props.title} alert>
      <Question {...props} />
    </Dialog>
  );
}

/** Mounted with the dialog: what was typed the last time is gone. */
function Question(props: ConfirmDialogProps) {
  const { onClose, children, confirmLabel, tone = 'primary', reason = 'optional', reasonLabel, onConfirm } = props;
  const [text, setText] = useState('');
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>();
  const given = text.trim();
  const confirm = async () => {
    setPending(true);
    setError(undefined);
    try {
      await onConfirm(given === '' ? undefined : given);
      onClose();
    } catch (refused) {
      setError(refused);
    } finally {
      setPending(false);
    }
  };
  return (
    <>
      {children !== undefined && <div>{children}</div>}
      {reason !== 'none' && (
        <TextArea
          label={reasonLabel ?? (reason === 'required' ? 'Reason' : 'Reason (optional)')}
          description="It is kept with the run and shown to everyone who follows it."
          value={text}
          onChange={setText}
          isRequired={reason === 'required'}
          maxLength={REASON_LENGTH}
          autoFocus
        />
      )}
      {error !== undefined && <ErrorNotice error={error} title="That did not work" />}
      <DialogButtons>
        <Button onPress={onClose} isDisabled={pending}>
          Not now
        </Button>
        <Button
          variant={tone}
          isPending={pending}
          isDisabled={reason === 'required' && given === ''}
          onPress={() => void confirm()}
        >
          {confirmLabel}
        </Button>
      </DialogButtons>
    </>
  );
}

const REASON_LENGTH = 500;

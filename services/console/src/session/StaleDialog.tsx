import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { fullTime } from '../format/index.ts';
import { Button } from '../ui/index.ts';
import styles from './SignIn.module.css';
import type { Session } from './session.ts';
import { TokenForm, TokenHelp } from './TokenForm.tsx';
import type { Identity } from './token.ts';

interface StaleDialogProps {
  readonly session: Session;
  readonly why: 'expired' | 'refused';
  readonly identity: Identity;
}

/** Over the page, which stays as it was below: with a new token it goes on from there. */
export function StaleDialog({ session, why, identity }: StaleDialogProps) {
  const at = identity.expiresAt;
  return (
    <ModalOverlay isOpen isKeyboardDismissDisabled className={styles.overlay ?? ''}>
      <Modal className={styles.box ?? ''}>
        <AriaDialog role="alertdialog" className={styles.dialog ?? ''}>
          <Heading slot="title" level={2} className={styles.title ?? ''}>
            {why === 'expired' ? 'Your token has expired' : 'The service does not accept your token'}
          </Heading>
          <p>
            {why === 'expired' && at !== undefined ? `It was good until ${fullTime(at)}. ` : ''}
            {why === 'refused' ? 'It may have been revoked, or signed for another installation. ' : ''}
            Runs go on without you; sign in again and this page goes on where it was.
          </p>
          <TokenForm session={session} autoFocus />
          <TokenHelp />
          <Button variant="quiet" onPress={() => session.signOut()}>
            Sign out
          </Button>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

import { type PendingCommand, useRunSelector } from '@toolstream/react';
import { Send } from 'lucide-react';
import { wishFor, wishWords } from '../model/wishes.ts';
import { useTick } from '../use-tick.ts';
import styles from './Wish.module.css';

interface WishProps {
  readonly id: string;
  /** Of the call; absent: wishes about the run itself. */
  readonly index?: number;
}

/** What was just asked from this page, from the moment of the click until the run's state shows it. */
export function Wish({ id, index }: WishProps) {
  const wish = useRunSelector(id, ({ pending }) => wishFor(pending, index));
  return wish ? <Asked wish={wish} /> : null;
}

function Asked({ wish }: { readonly wish: PendingCommand }) {
  const now = useTick(100);
  return (
    <p className={styles.wish} data-testid="wish">
      <Send aria-hidden />
      {wishWords(wish, now)}
    </p>
  );
}

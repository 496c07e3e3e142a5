import styles from './StatusBadge.module.css';
import { type AnyStatus, statusLook } from './status.ts';

/** A status by icon, word and colour. `s` is for rows. */
export function StatusBadge({ status, size = 'm' }: { readonly status: AnyStatus; readonly size?: 'm' | 's' }) {
  const { word, tone, Icon, turns } = statusLook[status];
  return (
    <span className={`${styles.badge} ${styles[tone]} ${styles[size]}`} data-status={status}>
      <Icon aria-hidden className={turns ? styles.turns : undefined} />
      {word}
    </span>
  );
}

import { type LucideIcon, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from '../../../ui/index.ts';
import styles from './Notice.module.css';

export interface NoticeProps {
  readonly tone: 'bad' | 'warn' | 'still';
  readonly Icon: LucideIcon;
  readonly title: string;
  readonly children?: ReactNode;
  readonly onClose?: () => void;
  /** It is read out at once when it appears. */
  readonly alert?: boolean;
}

/** Something about the page or the run that stays until it is over or closed. */
export function Notice({ tone, Icon, title, children, onClose, alert = false }: NoticeProps) {
  return (
    <div className={`${styles.notice} ${styles[tone]}`} {...(alert ? { role: 'alert' } : {})}>
      <Icon aria-hidden className={styles.icon} />
      <div className={styles.text}>
        <p className={styles.title}>{title}</p>
        {children}
      </div>
      {onClose !== undefined && <IconButton size="s" label="Close this notice" icon={<X />} onPress={onClose} />}
    </div>
  );
}

import { CheckCircle2, Info, X, XCircle } from 'lucide-react';
import {
  UNSTABLE_Toast as AriaToast,
  Text,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components';
import { IconButton } from './Button.tsx';
import styles from './Toast.module.css';

export interface ToastWords {
  readonly title: string;
  readonly description?: string;
  readonly tone?: 'ok' | 'bad' | 'still';
}

const queue = new ToastQueue<ToastWords>({ maxVisibleToasts: 4 });

const KEPT_AT_MOST = 12;
const keys: string[] = [];

/** A short word on what was just done. Failures stay until they are closed, the newest few; everything else goes after 6 s. */
export function toast(words: ToastWords): void {
  keys.push(queue.add(words, words.tone === 'bad' ? {} : { timeout: 6_000 }));
  if (keys.length > KEPT_AT_MOST) queue.close(keys.shift()!);
}

const ICONS = { ok: CheckCircle2, bad: XCircle, still: Info };

/** Once per page, in the shell. */
export function Toasts() {
  return (
    <ToastRegion queue={queue} className={styles.region ?? ''}>
      {({ toast: shown }) => {
        const { title, description, tone = 'still' } = shown.content;
        const Icon = ICONS[tone];
        return (
          <AriaToast toast={shown} className={`${styles.toast} ${styles[tone]}`}>
            <Icon aria-hidden className={styles.icon} />
            <ToastContent className={styles.words ?? ''}>
              <Text slot="title" className={styles.title ?? ''}>
                {title}
              </Text>
              {description !== undefined && <Text slot="description">{description}</Text>}
            </ToastContent>
            <IconButton slot="close" size="s" label="Close" icon={<X />} />
          </AriaToast>
        );
      }}
    </ToastRegion>
  );
}

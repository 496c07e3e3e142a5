import { useNavigate, useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { Dialog } from '../ui/index.ts';
import styles from './HelpKeys.module.css';
import { isTyping, type Shortcut, shortcutsOf } from './shortcuts.ts';

const SEQUENCE_MS = 1_200;

/** `?` shows what the keys do; `g` and a letter go somewhere. Nothing is taken while somebody types. */
export function HelpKeys() {
  const [shown, setShown] = useState(false);
  const navigate = useNavigate();
  const { routesByPath } = useRouter();
  const shortcuts = shortcutsOf(Object.keys(routesByPath));
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    let goingSince = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === '?') {
        event.preventDefault();
        setShown(true);
      } else if (event.key === 'g') {
        goingSince = event.timeStamp;
      } else if (event.timeStamp - goingSince < SEQUENCE_MS) {
        goingSince = Number.NEGATIVE_INFINITY;
        const place = latest.current.find(({ key }) => key === event.key);
        if (place?.to !== undefined) void navigate({ to: place.to });
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [navigate]);
  return (
    <Dialog isOpen={shown} onClose={() => setShown(false)} title="Keys">
      <dl className={styles.keys}>
        {shortcuts.map((shortcut) => (
          <Keys key={shortcut.words} {...shortcut} />
        ))}
      </dl>
    </Dialog>
  );
}

function Keys({ keys, words }: Shortcut) {
  return (
    <div className={styles.row}>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{words}</dd>
    </div>
  );
}

import { useNavigate } from '@tanstack/react-router';
import { Keyboard } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Switch } from 'react-aria-components';
import { Dialog, IconButton } from '../ui/index.ts';
import styles from './HelpKeys.module.css';
import { turnLetterKeys, useLetterKeys } from './letter-keys.ts';
import { PLACES } from './places.ts';
import { isForShortcuts, SHORTCUTS, type Shortcut } from './shortcuts.ts';
import { viewShortcuts } from './view-shortcuts.ts';

const SEQUENCE_MS = 1_200;

/** `?`, or the button, shows what the keys do; `g` and a letter go somewhere. Nothing is taken while somebody types. */
export function HelpKeys() {
  const [shown, setShown] = useState(false);
  const letters = useLetterKeys();
  const navigate = useNavigate();
  useEffect(() => {
    let goingSince = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent) => {
      if (!isForShortcuts(event)) return;
      if (event.key === '?') {
        event.preventDefault();
        setShown(true);
      } else if (event.key === 'g') {
        goingSince = event.timeStamp;
      } else if (event.timeStamp - goingSince < SEQUENCE_MS) {
        goingSince = Number.NEGATIVE_INFINITY;
        const place = PLACES.find(({ key }) => key === event.key);
        if (place === undefined) return;
        // The letter has had its meaning: no view gives it another.
        event.preventDefault();
        void navigate({ to: place.to });
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [navigate]);
  return (
    <div className={styles.opener}>
      <IconButton label="Keys" icon={<Keyboard />} onPress={() => setShown(true)} />
      <Dialog isOpen={shown} onClose={() => setShown(false)} title="Keys">
        <dl className={styles.keys}>
          {viewShortcuts().map(({ key, words }) => (
            <Keys key={words} shortcut={{ keys: [key], words }} />
          ))}
          {SHORTCUTS.map((shortcut) => (
            <Keys key={shortcut.words} shortcut={shortcut} />
          ))}
        </dl>
        <Switch isSelected={letters} onChange={turnLetterKeys} className={styles.switch ?? ''}>
          <span className={styles.track} aria-hidden />
          Letters do something
        </Switch>
      </Dialog>
    </div>
  );
}

function Keys({ shortcut: { keys, words } }: { readonly shortcut: Shortcut }) {
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

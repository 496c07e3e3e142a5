import { Button } from '../../../ui/index.ts';
import type { Moment } from '../use-moment.ts';
import styles from './Trouble.module.css';

const WORDS = {
  foreign:
    'The link’s event is not one of this run, or of a log that was made anew since. The run is shown as it is now.',
  ahead: 'The link’s event is not in this run’s history, or not yet. The run is shown as it is now, until it comes.',
  beyond: 'The link’s event is one of those that this run is too long to show one by one. It is in the export.',
} as const;

/** A link that leads to no event says so. */
export function Trouble({ moment: { trouble, live } }: { readonly moment: Moment }) {
  if (trouble === undefined) return null;
  return (
    <div role="alert" className={styles.trouble}>
      <p>{WORDS[trouble]}</p>
      <Button size="s" onPress={live}>
        All right
      </Button>
    </div>
  );
}

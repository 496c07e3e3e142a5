import { memo } from 'react';
import type { MarkerKind } from '../model/markers.ts';
import type { Span } from '../model/spans.ts';
import { MARKER_WORDS } from '../model/words.ts';
import { Bar } from './Bar.tsx';
import styles from './Legend.module.css';
import { Mark } from './Row.tsx';

type Sample = Pick<Span, 'kind'> & Partial<Pick<Span, 'outcome' | 'to'>> & { readonly words: string };

const SAMPLES: readonly Sample[] = [
  { kind: 'waiting', words: 'waits for its turn' },
  { kind: 'queued', words: 'queued' },
  { kind: 'running', words: 'running' },
  { kind: 'running', outcome: 'succeeded', to: 1, words: 'succeeded' },
  { kind: 'running', outcome: 'failed', to: 1, words: 'attempt failed' },
  { kind: 'running', outcome: 'cancelled', to: 1, words: 'cancelled or handed back' },
  { kind: 'paused', words: 'paused' },
  { kind: 'approval', words: 'waits for approval' },
  { kind: 'retry', words: 'waits to retry' },
];
const BANDS = [
  { kind: 'paused', words: 'the run is paused' },
  { kind: 'cancelling', words: 'the run is being cancelled' },
] as const;
const MARKS = Object.keys(MARKER_WORDS) as MarkerKind[];
const VIEW = { from: 0, to: 1 };

export const Legend = memo(function Legend() {
  return (
    <ul className={styles.legend} aria-label="What the bars and marks mean">
      {SAMPLES.map(({ words, ...sample }) => (
        <li key={words}>
          <svg width={22} height={24} aria-hidden="true">
            <Bar
              span={{ call: 0, attempt: 1, dispatch: 1, first: 0, from: 0, ...sample }}
              view={VIEW}
              width={22}
              now={1}
              current={false}
            />
          </svg>
          {words}
        </li>
      ))}
      {BANDS.map(({ kind, words }) => (
        <li key={kind}>
          <span className={`${styles.band} ${styles[kind]}`} aria-hidden="true" />
          {words}
        </li>
      ))}
      {MARKS.map((kind) => (
        <li key={kind}>
          <svg width={16} height={24} aria-hidden="true">
            <Mark marker={{ kind, index: 0, at: 0 }} x={8} width={16} />
          </svg>
          {MARKER_WORDS[kind].toLowerCase()}
        </li>
      ))}
    </ul>
  );
});

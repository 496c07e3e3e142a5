import { useState } from 'react';
import { duration } from '../../../format/index.ts';
import { Button, ScrollRegion } from '../../../ui/index.ts';
import { sinceStart } from '../model/elapsed.ts';
import { endOf, type Span } from '../model/spans.ts';
import { attemptWord, KIND_WORDS } from '../model/words.ts';
import styles from './SpanTable.module.css';

export interface SpanTableProps {
  readonly calls: readonly Span[][];
  readonly names: readonly string[];
  readonly origin: number;
  readonly now: number;
  readonly onIndex: (index: number) => void;
}

const AT_A_TIME = 200;

/** The bars in words: the same facts as the chart, for whoever does not look at it. */
export function SpanTable({ calls, names, origin, now, onIndex }: SpanTableProps) {
  const [shown, setShown] = useState(AT_A_TIME);
  const spans = calls.flat();
  return (
    <ScrollRegion label="Bars of the timeline as a table" className={styles.scroll}>
      <table className={styles.table} data-testid="timeline-table">
        <caption className="visually-hidden">Every call’s waits and attempts, in the order of the calls</caption>
        <thead>
          <tr>
            <th scope="col">Call</th>
            <th scope="col">What</th>
            <th scope="col">Attempt</th>
            <th scope="col">From</th>
            <th scope="col">For</th>
            <th scope="col">Ended as</th>
            <th scope="col">
              <span className="visually-hidden">Show</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {spans.slice(0, shown).map((span) => (
            <tr key={`${span.call}-${span.first}-${span.kind}`} data-call={span.call}>
              <th scope="row">
                {span.call + 1} <code>{names[span.call]}</code>
              </th>
              <td>{KIND_WORDS[span.kind]}</td>
              <td>{attemptWord(span)}</td>
              <td>{sinceStart(span.from, origin)}</td>
              <td>
                {duration(endOf(span, now) - span.from)}
                {span.to === undefined ? ' so far' : ''}
              </td>
              <td>{span.outcome ?? (span.to === undefined ? 'goes on' : '')}</td>
              <td>
                <Button
                  size="s"
                  variant="quiet"
                  aria-label={`Show the run when call ${span.call + 1} began: ${KIND_WORDS[span.kind]}, ${attemptWord(span)}`}
                  onPress={() => onIndex(span.first)}
                >
                  Show
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {spans.length > shown && (
        <div className={styles.more}>
          <Button onPress={() => setShown(shown + AT_A_TIME)}>
            Show {Math.min(AT_A_TIME, spans.length - shown)} more of {spans.length}
          </Button>
        </div>
      )}
    </ScrollRegion>
  );
}

import { useEffect, useRef } from 'react';
import { counted } from '../../../format/index.ts';
import type { DraftCall } from '../model/draft.ts';
import type { Problem } from '../model/problems.ts';
import { anchorOf } from './CallCard.tsx';
import styles from './NewRun.module.css';

export interface ProblemListProps {
  readonly problems: readonly Problem[];
  readonly calls: readonly DraftCall[];
  /** Another number each time somebody tried to hand over: the list takes the focus then. */
  readonly tries: number;
  readonly onOpen: (key: string) => void;
}

/** What keeps the draft from being handed over, each a way to where it is put right. */
export function ProblemList({ problems, calls, tries, onOpen }: ProblemListProps) {
  const list = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a try that failed leads here, a change of the list does not.
  useEffect(() => list.current?.focus(), [tries]);
  return (
    <div ref={list} role="alert" tabIndex={-1} className={styles.problems}>
      <h2>{counted(problems.length, 'thing')} to put right</h2>
      <ul>
        {problems.map(({ call: key, field, message }) => {
          const call = calls.find((one) => one.key === key);
          return (
            <li key={`${key} ${field} ${message}`}>
              {call === undefined ? (
                message
              ) : (
                <>
                  <a
                    href={`#${anchorOf(call)}`}
                    onClick={(event) => {
                      event.preventDefault();
                      onOpen(call.key);
                      document.getElementById(anchorOf(call))?.focus();
                    }}
                  >
                    Call {calls.indexOf(call) + 1}
                  </a>
                  : {message}
                </>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

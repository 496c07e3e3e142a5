import { useEffect, useRef } from 'react';
import { counted } from '../../../format/index.ts';
import type { DraftCall } from '../model/draft.ts';
import type { Problem } from '../model/problems.ts';
import { anchorOf } from './CallCard.tsx';
import styles from './NewRun.module.css';

export interface ProblemListProps {
  readonly problems: readonly Problem[];
  readonly calls: readonly DraftCall[];
  readonly onOpen: (key: string) => void;
}

/** What keeps the draft from being handed over, each a way to where it is put right. It takes the focus when it appears. */
export function ProblemList({ problems, calls, onOpen }: ProblemListProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => list.current?.focus(), []);
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

import type { ToolListing } from '@toolstream/client';
import { counted, duration } from '../../../format/index.ts';

export interface PolicyFact {
  readonly term: string;
  readonly value: string;
  /** What it means for who calls it. */
  readonly meaning: string;
}

const ISOLATION = {
  inline: ['On the executor’s own loop', 'It may only wait for answers of others; it cannot be ended by force.'],
  thread: ['In a thread', 'It can be ended by force, and cannot stop the executor’s heartbeat.'],
  process: ['In a process of its own', 'It can be ended by force and has memory of its own.'],
} as const;

const APPROVAL = {
  always: ['Always', 'Every call waits for a person’s approval.'],
  destructive: ['When it destroys', 'A call waits for a person’s approval where it would destroy something.'],
  never: ['Never', 'Calls begin without anybody’s approval.'],
} as const;

/** How calls of a tool are run, as far as its executors announce it. */
export function policyOf(tool: ToolListing): PolicyFact[] {
  const { idempotent, destructive, approval, isolation, retries, timeout_ms } = tool;
  const [asks, asked] = APPROVAL[approval];
  const attempts = retries?.max_attempts;
  return [
    { term: 'Approval', value: asks, meaning: asked },
    {
      term: 'Destructive',
      value: destructive ? 'Yes' : 'No',
      meaning: destructive ? 'It may overwrite or delete what is there.' : 'It deletes nothing that is there.',
    },
    {
      term: 'Idempotent',
      value: idempotent ? 'Yes' : 'No',
      meaning: idempotent
        ? 'A call whose attempt was lost is run again by itself.'
        : 'A call whose attempt was lost waits for a person’s approval before it runs again.',
    },
    ...(isolation === undefined
      ? []
      : [{ term: 'Runs', value: ISOLATION[isolation][0], meaning: ISOLATION[isolation][1] }]),
    ...(attempts === undefined
      ? []
      : [
          {
            term: 'Attempts',
            value: attempts === 1 ? 'One' : `Up to ${attempts}`,
            meaning:
              attempts === 1
                ? 'A failure is final.'
                : `A failure that may pass is tried again, ${counted(attempts - 1, 'time')} at most.`,
          },
        ]),
    { term: 'Timeout', value: duration(timeout_ms), meaning: 'An attempt that runs longer fails.' },
  ];
}

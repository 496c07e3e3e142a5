import type { PendingCommand, RefusedCommand } from '@toolstream/react';
import { callNumber } from './order.ts';

type Named = Pick<PendingCommand, 'command' | 'index'>;

const DOING: Readonly<Record<PendingCommand['command'], string>> = {
  pause: 'Pausing',
  resume: 'Resuming',
  cancel: 'Cancelling',
  cancel_tool: 'Cancelling',
  retry_tool: 'Asking for a retry',
  approve_tool: 'Approving',
  deny_tool: 'Denying',
};
const NOT_DONE: Readonly<Record<PendingCommand['command'], string>> = {
  pause: 'The run was not paused',
  resume: 'The run was not resumed',
  cancel: 'The run was not cancelled',
  cancel_tool: 'was not cancelled',
  retry_tool: 'is not tried again',
  approve_tool: 'was not approved',
  deny_tool: 'was not denied',
};

/** `Cancelling… asked by you 0.4 s ago`: from the moment of the click, before anybody answered. */
export const wishWords = ({ command, asked_at }: Pick<PendingCommand, 'command' | 'asked_at'>, now: number): string =>
  `${DOING[command]}… asked by you ${(Math.max(0, now - asked_at) / 1000).toFixed(1)} s ago`;

/** What was refused, before the reason. */
export const refusalTitle = ({ command, index }: Pick<RefusedCommand, 'command' | 'index'>): string =>
  index === undefined ? NOT_DONE[command] : `Call ${callNumber(index)} ${NOT_DONE[command]}`;

/** The newest wish about the run itself, or about one of its calls. */
export const wishFor = <T extends Named>(pending: readonly T[], index?: number): T | undefined =>
  pending.findLast((wish) => wish.index === index);

import type { ConnectionView } from '@toolstream/react';
import { expect, it } from 'vitest';
import { awayWords, connectionWords } from './connection-words.ts';

const view = (over: Partial<ConnectionView>): ConnectionView => ({
  status: 'open',
  transport: 'websocket',
  since: 0,
  ...over,
});

it.each([
  [view({}), 'Live', 'ok'],
  [view({ transport: 'polling', reason: 'sse_blocked' }), 'Live, slower', 'ok'],
  [view({ status: 'idle' }), 'Idle', 'still'],
  [view({ status: 'connecting' }), 'Connecting', 'warn'],
  [view({ status: 'waiting', retry_at: 3_400 }), 'Reconnecting in 3 s', 'warn'],
  [view({ status: 'waiting', retry_at: 100 }), 'Reconnecting', 'warn'],
  [view({ status: 'closed', reason: 'forbidden' }), 'Not connected', 'bad'],
])('%o is said as %s', (connection, short, tone) => {
  expect(connectionWords(connection, 500)).toMatchObject({ short, tone });
});

it('While nobody is connected it is said that runs go on; afterwards how long it was', () => {
  expect(connectionWords(view({ status: 'waiting', reason: 'unreachable' }), 0).long).toContain('Runs go on');
  expect(awayWords(view({ interruption: { from: 1_000, to: 63_000 } }))).toBe('Away for 1 min 02 s, caught up since.');
  expect(awayWords(view({ interruption: { from: 1_000 } }))).toBeUndefined();
});

import { connect } from '@nats-io/transport-node';
import { type EventLog, openEventLog } from '@toolstream/event-log';
import { type RunAddress, runSubjects } from '@toolstream/proto-events';
import type { Cleanup } from './cleanup.ts';

/** The log itself: what every client must end with. */
export async function benchLog(cleanup: Cleanup, natsUrl: string): Promise<EventLog> {
  const nc = cleanup.add(await connect({ servers: natsUrl, name: 'bench-judge' }), (connection) => connection.close());
  return openEventLog(nc, { partitions: 1 });
}

/** Run → its last sequence, as the leader knows it. */
export async function lastSequences(log: EventLog, runs: readonly RunAddress[]): Promise<Record<string, number>> {
  const lasts = await Promise.all(runs.map((run) => log.lastOf(runSubjects(run), { leader: true })));
  return Object.fromEntries(runs.map(({ run }, at) => [run, lasts[at]?.seq ?? 0]));
}

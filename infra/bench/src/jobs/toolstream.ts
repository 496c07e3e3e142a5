import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { eventStream, partitionOfRun, runSubject } from '@toolstream/proto-events';
import type { Cleanup } from '../cleanup.ts';
import { nanosecondsOf, wallClockAhead } from '../clock.ts';
import { Submitter, submitRun, toolModule } from '../runs.ts';
import { temporaryFolder } from '../servers.ts';
import { type BenchStack, benchStack } from '../stack.ts';
import { CONCURRENCY, type Latency, UNENDED } from './contender.ts';

export interface Toolstream extends Latency {
  /** When NATS had stored that the run was accepted, by the job's id, on the monotonic clock. */
  acceptances(): Promise<ReadonlyMap<string, number>>;
  /** Calls a second, until Postgres has their runs' ends. */
  callsPerSecond(seconds: number): Promise<number>;
  /** Processor time while it has nothing to do disturbs whoever's turn it is. */
  readonly stack: BenchStack;
}

/** The whole product, with one executor. A job is a run of one call. */
export async function toolstream(cleanup: Cleanup): Promise<Toolstream> {
  const folder = await temporaryFolder(cleanup);
  const modules = [toolModule('noop'), toolModule('starting')].join(',');
  const env = { SLOTS: String(CONCURRENCY), TOOLSTREAM_TOOLS: modules };
  const stack = await benchStack(cleanup, { executors: 1, env });
  const submitter = new Submitter(cleanup, stack);
  const nc = cleanup.add(await connect({ servers: stack.natsUrl }), (connection) => connection.close());
  let turn = 0;
  let runs = new Map<string, string>();
  const file = () => join(folder, String(turn));

  const submitOne = async (id: string) => {
    runs.set(id, await submitRun(stack, 'bench', { tool: 'bench-start', arguments: { file: file(), id } }, 1));
  };

  return {
    stack,
    begin: async () => {
      turn++;
      runs = new Map();
    },
    rest: async () => {},
    submitOne,
    starts: async () => startsIn(await readFile(file(), 'utf8').catch(() => '')),
    acceptances: () => acceptances(nc, runs),
    callsPerSecond: async (seconds) => {
      const { calls, seconds: took } = await submitter.submitAndWait({ tool: 'bench-noop', seconds, unended: UNENDED });
      return calls / took;
    },
  };
}

/** Lines of an id and nanoseconds; the last one may be cut off while it is written. */
export function startsIn(text: string): Map<string, number> {
  const lines = text.split('\n').slice(0, -1);
  return new Map(
    lines.map((line) => {
      const [id = '', at] = line.split(' ');
      return [id, Number(at)];
    }),
  );
}

async function acceptances(nc: NatsConnection, runs: ReadonlyMap<string, string>): Promise<Map<string, number>> {
  const ahead = wallClockAhead();
  const { direct } = await jetstreamManager(nc);
  const found = new Map<string, number>();
  for (const [id, run] of runs) {
    const stream = eventStream(partitionOfRun(run) ?? 0);
    const subject = runSubject({ tenant: 'bench', app: 'bench', run });
    const first = await direct.getMessage(stream, { seq: 1, next_by_subj: subject });
    if (!first) throw new Error(`not_accepted: run ${run} has no event`);
    found.set(id, nanosecondsOf(first.timestamp) - ahead);
  }
  return found;
}

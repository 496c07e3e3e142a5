import { setTimeout as sleep } from 'node:timers/promises';
import { now, paced } from '../clock.ts';
import { type Quantiles, quantilesOf } from '../pairs.ts';
import { pump } from '../pump.ts';
import { CALLS_PER_RUN } from '../runs.ts';

/** What everyone is given: as many jobs at once, in one process that runs them. */
export const CONCURRENCY = 32;
/** Jobs that are handed over at once when throughput is measured: as many as a run has calls. */
export const BATCH = CALLS_PER_RUN;
/** Batches that may wait or run. */
export const UNENDED = 40;
const LOOK_EVERY_MS = 25;
const LATEST_START_MS = 30_000;

/** A system that takes jobs from this process and runs them in another one. */
export interface Contender {
  /** Before a turn. What was left of the one before is gone. */
  begin(): Promise<void>;
  /** After a turn: it costs the others nothing from now on. */
  rest(): Promise<void>;
  /** One job, which notes its first line under this id. Resolves when it is accepted. */
  submitOne(id: string): Promise<void>;
  /** When the first lines ran, on the monotonic clock, as far as known. */
  starts(): Promise<ReadonlyMap<string, number>>;
  /** So many jobs that do nothing. Resolves when they are accepted. */
  submitMany(jobs: number): Promise<void>;
  /** How many of this turn's jobs the system has recorded as done. */
  done(): Promise<number>;
}

export type Latency = Pick<Contender, 'begin' | 'rest' | 'submitOne' | 'starts'>;
export type Throughput = Pick<Contender, 'begin' | 'rest' | 'submitMany' | 'done'>;

export interface LightLoad {
  readonly rate: number;
  readonly seconds: number;
}

/** When each job was handed over, and when its first line ran. */
export interface Started {
  readonly sent: ReadonlyMap<string, number>;
  readonly starts: ReadonlyMap<string, number>;
}

let turns = 0;

/** Few jobs, one after the other, so that none waits for another one. Each must start. */
export async function lightTurn(contender: Latency, { rate, seconds }: LightLoad): Promise<Started> {
  await contender.begin();
  const turn = turns++;
  const sent = new Map<string, number>();
  let failure: unknown;
  const answers: Promise<void>[] = [];
  await paced(rate, seconds, (number) => {
    const id = `${turn}-${number}`;
    sent.set(id, now());
    const answer = contender.submitOne(id).catch((error: unknown) => {
      failure ??= error;
    });
    answers.push(answer);
  });
  await Promise.all(answers);
  if (failure !== undefined) throw failure;
  const latest = performance.now() + LATEST_START_MS;
  let starts = await contender.starts();
  while ([...sent.keys()].some((id) => !starts.has(id)) && performance.now() < latest) {
    await sleep(LOOK_EVERY_MS);
    starts = await contender.starts();
  }
  await contender.rest();
  return { sent, starts };
}

/** In milliseconds, from the times of some jobs to their starts. */
export function startDelays(from: ReadonlyMap<string, number>, starts: ReadonlyMap<string, number>): Quantiles {
  const delays = [...from].map(([id, at]) => ((starts.get(id) ?? Number.NaN) - at) / 1e6);
  const missing = delays.filter(Number.isNaN).length;
  if (missing > 0) throw new Error(`starts_missing: ${missing} of ${from.size} jobs never noted their first line`);
  return quantilesOf(delays);
}

/** Jobs a second that were recorded as done, with always some waiting. */
export async function busyTurn(contender: Throughput, seconds: number): Promise<number> {
  await contender.begin();
  const result = await pump(
    {
      submit: () => contender.submitMany(BATCH),
      ended: async () => Math.floor((await contender.done()) / BATCH),
    },
    { seconds, unended: UNENDED },
  );
  await contender.rest();
  return (result.batches * BATCH) / result.seconds;
}

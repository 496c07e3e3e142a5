import { partitionOfRun, type RunAddress, runSubjects, runSubjectsAnyApp } from '@toolstream/proto-events';
import type { RunLog } from '../ports.ts';
import type { Feeds } from './feeds.ts';
import type { LiveRun } from './live-run.ts';

export interface CatchUpOptions {
  /** Sequence of an event of this run that is known to be stored. Absent: the leader is asked for its last one. */
  through?: number | undefined;
  /** From the first event, whatever is in memory: for a memory that contradicts the log. */
  anew?: boolean;
}

/** Brings a run's base up to what the leader has acknowledged when this is called. An unknown run stays without a base. */
export class CatchUp {
  readonly #log: RunLog;
  readonly #feeds: Feeds;

  constructor(log: RunLog, feeds: Feeds) {
    this.#log = log;
    this.#feeds = feeds;
  }

  async read(
    run: LiveRun,
    target: RunAddress | { tenant: string; run: string },
    { through, anew = false }: CatchUpOptions = {},
  ): Promise<void> {
    const feed = this.#feeds.current(partitionOfRun(run.id) ?? 0);
    const known = anew ? 0 : (run.base?.seq ?? 0);
    const last = through ?? (await this.#lastSeq(target));
    if (last === undefined) return;
    if (last > known || anew) {
      run.read(await this.#log.readRun(target, { from: known + 1, through: last }), { anew });
    }
    run.feed = feed;
  }

  async #lastSeq(target: RunAddress | { tenant: string; run: string }): Promise<number | undefined> {
    const filter = 'app' in target ? runSubjects(target) : runSubjectsAnyApp(target.tenant, target.run);
    return (await this.#log.lastOf(filter, { leader: true }))?.seq;
  }
}

import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { ESTIMATES_BUCKET, isToken, type ToolEstimate } from '@toolstream/proto-events';
import type { Logger } from '@toolstream/service-kit';
import type pg from 'pg';
import type { ChangedRun } from '../fold/fold-batch.ts';

export interface EstimatesOptions {
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  readonly schema: string;
  /** Learned from this many of a tool's newest succeeded calls. */
  readonly sample: number;
  readonly everyMs: number;
  readonly log: Logger;
}

/**
 * Learns how long tools take, and tells it through the estimates bucket. Only tools that succeeded since the last look
 * are looked at, and only figures that changed are told. An estimate may be late or missed: nothing depends on it.
 */
export class Estimates {
  readonly #options: EstimatesOptions;
  readonly #told = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #ended = new Set<string>();
  #kv: KV | undefined;
  #work: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(options: EstimatesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      if (!this.#busy && this.#ended.size > 0) this.#work = this.#refresh();
    }, options.everyMs);
  }

  /** Notes which tools a batch brought to a good end. */
  note(changed: readonly ChangedRun[]): void {
    for (const { before, after } of changed) {
      for (const [index, tool] of after.tools.entries()) {
        if (tool.status === 'succeeded' && before?.tools[index]?.status !== 'succeeded' && isToken(tool.name)) {
          this.#ended.add(tool.name);
        }
      }
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work;
  }

  async #refresh(): Promise<void> {
    this.#busy = true;
    const names = [...this.#ended];
    this.#ended = new Set();
    try {
      for (const { name, ...estimate } of await this.#learn(names)) await this.#tell(name, estimate);
    } catch (error) {
      for (const name of names) this.#ended.add(name);
      this.#options.log.warn({ error }, 'estimates could not be refreshed; trying again later');
    } finally {
      this.#busy = false;
    }
  }

  async #learn(names: readonly string[]): Promise<(ToolEstimate & { name: string })[]> {
    const { pool, schema, sample } = this.#options;
    const { rows } = await pool.query<ToolEstimate & { name: string }>({
      name: 'learn_estimates',
      text: `select n.name, count(*)::float8 as runs, percentile_cont(0.5) within group (order by t.duration_ms) as p50_ms
             from unnest($1::text[]) as n(name)
             cross join lateral (
               select duration_ms from ${schema}.tools
               where name = n.name and status = 'succeeded' and duration_ms is not null
               order by ended_at desc limit $2
             ) t
             group by n.name`,
      values: [names, sample],
    });
    return rows;
  }

  async #tell(name: string, estimate: ToolEstimate): Promise<void> {
    const text = JSON.stringify(estimate);
    if (this.#told.get(name) === text) return;
    this.#kv ??= await new Kvm(this.#options.nc).create(ESTIMATES_BUCKET);
    await this.#kv.put(name, text);
    this.#told.set(name, text);
  }
}

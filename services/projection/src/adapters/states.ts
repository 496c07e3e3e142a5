import type { RunState, ToolState } from '@toolstream/proto-events';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type { ChangedRun } from '../fold/fold-batch.ts';
import type { WrittenSizes } from './writer.ts';

interface Kept {
  readonly state: RunState;
  readonly runSize: number;
  readonly toolSizes: readonly number[];
}

/** Of a tool that was neither written just now nor is in memory. */
const UNKNOWN_SIZE = 2_048;
/** Bounds what one answer of Postgres holds. */
const LOADED_AT_ONCE = 500;

const sizeOf = ({ runSize, toolSizes }: Kept): number => toolSizes.reduce((sum, size) => sum + size, runSize) + 256;

/**
 * The states of live runs as their rows hold them: committed, never ahead. Bounded by what their JSON takes; what falls
 * out is read from its rows again.
 */
export class KnownStates {
  readonly #cache: LRUCache<string, Kept>;

  constructor(maxChars: number) {
    this.#cache = new LRUCache({ maxSize: maxChars, sizeCalculation: sizeOf });
  }

  /** The states of these runs, those not in memory by one query per 500. Runs that have no row are absent. */
  async find(client: pg.Client, schema: string, runs: ReadonlySet<string>): Promise<Map<string, RunState>> {
    const found = new Map<string, RunState>();
    const missing: string[] = [];
    for (const run of runs) {
      const kept = this.#cache.get(run);
      if (kept) found.set(run, kept.state);
      else missing.push(run);
    }
    for (let at = 0; at < missing.length; at += LOADED_AT_ONCE) {
      for (const kept of await load(client, schema, missing.slice(at, at + LOADED_AT_ONCE))) {
        found.set(kept.state.run_id, kept.state);
        this.#keep(kept);
      }
    }
    return found;
  }

  /** To be called after the commit. An ended run is dropped: hardly anything ever follows. */
  committed(changed: readonly ChangedRun[], sizes: WrittenSizes): void {
    for (const { after } of changed) {
      const written = sizes.get(after.run_id);
      if (!written) continue;
      const before = this.#cache.peek(after.run_id)?.toolSizes ?? [];
      const toolSizes = after.tools.map((_, index) => written.tools.get(index) ?? before[index] ?? UNKNOWN_SIZE);
      this.#keep({ state: after, runSize: written.run, toolSizes });
    }
  }

  #keep(kept: Kept): void {
    if (kept.state.ended_at === undefined) this.#cache.set(kept.state.run_id, kept);
    else this.#cache.delete(kept.state.run_id);
  }
}

async function load(client: pg.Client, schema: string, runs: readonly string[]): Promise<Kept[]> {
  const { rows } = await client.query<{ state: string; tools: string[] | null }>({
    name: `load_${schema}`,
    text: `select r.state::text as state, t.tools
           from ${schema}.runs r
           left join lateral (
             select array_agg(t.state::text order by t.index) as tools from ${schema}.tools t where t.run_id = r.run_id
           ) t on true
           where r.run_id = any($1)`,
    values: [runs],
  });
  return rows.map(({ state, tools }) => {
    const texts = tools ?? [];
    const parsed = {
      ...(JSON.parse(state) as Omit<RunState, 'tools'>),
      tools: texts.map((t) => JSON.parse(t) as ToolState),
    };
    return { state: parsed, runSize: state.length, toolSizes: texts.map((text) => text.length) };
  });
}

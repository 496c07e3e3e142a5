import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Cleanup } from './cleanup.ts';
import { type PumpWish, pump } from './pump.ts';
import type { BenchStack } from './stack.ts';

export const CALLS_PER_RUN = 50;

export const toolModule = (name: string): string => fileURLToPath(new URL(`./tools/${name}.ts`, import.meta.url));

/** A run of as many equal calls in parallel; resolves with its id when it is accepted. */
export async function submitRun(
  stack: BenchStack,
  app: string,
  call: { readonly tool: string; readonly arguments: unknown },
  calls: number,
): Promise<string> {
  const one = { name: call.tool, arguments: call.arguments };
  const tool_calls = Array.from({ length: calls }, (_, index) => ({ id: `c${index}`, ...one }));
  const answer = await stack.post('/v1/runs', { app, mode: 'parallel', tool_calls }, 201);
  return (answer as { run_id: string }).run_id;
}

export interface RunsWish extends PumpWish {
  readonly tool: string;
}

export interface RunsResult {
  readonly calls: number;
  /** From the first request to the moment when Postgres had the last run's end. */
  readonly seconds: number;
  readonly app: string;
}

/** Submits runs over HTTP and reads their ends where everybody else does: in the projection's tables. */
export class Submitter {
  readonly #stack: BenchStack;
  readonly #pool: pg.Pool;
  #rounds = 0;

  constructor(cleanup: Cleanup, stack: BenchStack) {
    this.#stack = stack;
    this.#pool = cleanup.add(new pg.Pool({ connectionString: stack.databaseUrl, max: 1 }), (pool) => pool.end());
    this.#pool.on('error', () => {}); // The next query reports it.
  }

  async submitAndWait({ tool, ...wish }: RunsWish): Promise<RunsResult> {
    // An app of its own, so that a round's runs can be counted.
    const app = `bench-${process.pid}-${Date.now()}-${this.#rounds++}`;
    const { batches, seconds } = await pump(
      {
        submit: () => this.#submit(app, tool),
        ended: () => this.#ended(app),
        unended: () => this.#unended(app),
      },
      wish,
    );
    await this.#checkAllSucceeded(app, batches);
    return { calls: batches * CALLS_PER_RUN, seconds, app };
  }

  /** When the calls of an app's runs ended, in seconds since 1970, in order. */
  async endsOf(app: string): Promise<number[]> {
    const text = `SELECT extract(epoch FROM ended_at)::float8 AS at FROM toolstream.tools WHERE app = $1 ORDER BY 1`;
    const { rows } = await this.#pool.query<{ at: number }>(text, [app]);
    return rows.map(({ at }) => at);
  }

  async #submit(app: string, tool: string): Promise<void> {
    await submitRun(this.#stack, app, { tool, arguments: {} }, CALLS_PER_RUN);
  }

  async #ended(app: string): Promise<number> {
    const text = `SELECT count(*)::int AS count FROM toolstream.runs WHERE tenant = 'bench' AND app = $1 AND ended_at IS NOT NULL`;
    return (await this.#pool.query<{ count: number }>(text, [app])).rows[0]!.count;
  }

  /** Which runs have no end, and what their calls wait for. */
  async #unended(app: string): Promise<string> {
    const text = `SELECT r.run_id, r.status, t.status AS call, count(*)::int AS count FROM toolstream.runs r
      JOIN toolstream.tools t USING (run_id) WHERE r.app = $1 AND r.ended_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1 LIMIT 5`;
    const { rows } = await this.#pool.query<{ run_id: string; status: string; call: string; count: number }>(text, [
      app,
    ]);
    return rows.map(({ run_id, status, call, count }) => `${run_id} ${status}: ${count} ${call}`).join(', ');
  }

  async #checkAllSucceeded(app: string, runs: number): Promise<void> {
    const text = `SELECT count(*)::int AS count FROM toolstream.tools WHERE app = $1 AND status = 'succeeded'`;
    const { count } = (await this.#pool.query<{ count: number }>(text, [app])).rows[0]!;
    if (count !== runs * CALLS_PER_RUN) throw new Error(`calls_failed: ${count} of ${runs * CALLS_PER_RUN} succeeded`);
  }
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { WebSocket } from 'ws';
import { type Cleanup, withCleanup } from './cleanup.ts';
import { now, paced } from './clock.ts';
import type { BenchOptions } from './options.ts';
import { alternate, type Quantiles, quantilesOf, type Target } from './pairs.ts';
import { measured, type Report, type Row } from './report.ts';
import { submitRun, toolModule } from './runs.ts';
import { temporaryFolder } from './servers.ts';
import { edgeDoor, openSocket } from './socket.ts';
import { type BenchStack, benchStack } from './stack.ts';

const RUNS = 10;
const CALLS = 50;
const TOOLS = RUNS * CALLS;
const TARGET: Target = { sense: 'at_most', value: 50 };
/** Between two cancels of runs: one has ended when the next comes. */
const RUN_EVERY_MS = 300;
const FRAMES_PER_SECOND = 50;
const LATEST_MS = 30_000;

/** Sends commands; for every call that they end, the time at which its command was sent, by `<run> <index>`. */
type Cancelling = (runs: readonly string[]) => Promise<Map<string, number>>;

/**
 * From a command, just before it is sent to the edge, to the signal of the tool that it ends, in the executor's process:
 * both on the machine's monotonic clock. 500 inline tools run whenever the first command is sent.
 */
export function cancel({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const stack = await benchStack(cleanup, {
      env: {
        SLOTS: String(TOOLS + 12),
        TOOLSTREAM_TOOLS: toolModule('listening'),
        TOOLSTREAM_FRAMES_PER_SECOND: String(TOOLS),
      },
    });
    const bench = new CancelBench(cleanup, stack, await temporaryFolder(cleanup));
    const results = await alternate(
      {
        runs: () => bench.measure((runs) => bench.cancelRuns(runs, RUN_EVERY_MS)),
        tools: () => bench.measure((runs) => bench.cancelTools(runs)),
        storm: () => bench.measure((runs) => bench.cancelRuns(runs, 0)),
      },
      { rounds: quick ? 3 : 7, warmUp: 1, restMs: 300 },
      (round, all) => say(`round ${round + 1}: ${roundText(all)}`),
    );
    const rows = (name: string, rounds: readonly Quantiles[], target?: Target): Row[] =>
      (['p50', 'p99'] as const).map((q) =>
        measured(
          { benchmark: 'cancel', name: `${name}, ${q}`, unit: 'ms' },
          rounds.map((round) => round[q]),
          q === 'p99' ? target : undefined,
        ),
      );
    return {
      rows: [
        ...rows(`POST cancel of a run of ${CALLS}, ${TOOLS} running`, results.runs, TARGET),
        ...rows(`frame cancel_tool, ${FRAMES_PER_SECOND}/s, ${TOOLS} running`, results.tools, TARGET),
        ...rows(`POST cancel of ${RUNS} runs of ${CALLS} at once`, results.storm),
      ],
      notes: [],
    };
  });
}

class CancelBench {
  readonly #stack: BenchStack;
  readonly #folder: string;
  readonly #pool: pg.Pool;
  #rounds = 0;

  constructor(cleanup: Cleanup, stack: BenchStack, folder: string) {
    this.#stack = stack;
    this.#folder = folder;
    this.#pool = cleanup.add(new pg.Pool({ connectionString: stack.databaseUrl, max: 1 }), (pool) => pool.end());
    this.#pool.on('error', () => {}); // The next query reports it.
  }

  async measure(cancelling: Cancelling): Promise<Quantiles> {
    const app = `cancel-${this.#rounds++}`;
    const file = join(this.#folder, app);
    const runs = await this.#startTools(app, file);
    const sent = await cancelling(runs);
    await this.#untilCount(app, `ended_at IS NOT NULL`, TOOLS);
    const notes = await notesIn(file, TOOLS);
    return quantilesOf(delaysOf(sent, notes));
  }

  async cancelRuns(runs: readonly string[], everyMs: number): Promise<Map<string, number>> {
    const sent = new Map<string, number>();
    const answers = runs.map(async (run, number) => {
      await sleep(number * everyMs);
      const at = now();
      for (let index = 0; index < CALLS; index++) sent.set(`${run} ${index}`, at);
      await this.#stack.post(`/v1/runs/${run}/cancel`, {}, 202);
    });
    await Promise.all(answers);
    return sent;
  }

  async cancelTools(runs: readonly string[]): Promise<Map<string, number>> {
    const sent = new Map<string, number>();
    let refused = '';
    const door = edgeDoor(this.#stack.edgeUrl, this.#stack.token, runs[0]!);
    const ws = await openSocket(door, (data) => {
      if (data.includes('"type":"error"')) refused ||= data.toString();
    });
    await paced(FRAMES_PER_SECOND, TOOLS / FRAMES_PER_SECOND, (number) => {
      // One of every run in turn.
      const run = runs[number % RUNS]!;
      const index = Math.floor(number / RUNS);
      sent.set(`${run} ${index}`, now());
      sendCommand(ws, `c${number}`, run, index);
    });
    await sleep(100);
    ws.terminate();
    if (refused !== '') throw new Error(`command_refused: ${refused.slice(0, 300)}`);
    return sent;
  }

  async #startTools(app: string, file: string): Promise<string[]> {
    const runs = await Promise.all(
      Array.from({ length: RUNS }, () =>
        submitRun(this.#stack, app, { tool: 'bench-listen', arguments: { file } }, CALLS),
      ),
    );
    await this.#untilCount(app, `status = 'running'`, TOOLS);
    return runs;
  }

  async #untilCount(app: string, condition: string, wanted: number): Promise<void> {
    const text = `SELECT count(*)::int AS count FROM toolstream.tools WHERE app = $1 AND ${condition}`;
    for (const latest = performance.now() + LATEST_MS; ; await sleep(50)) {
      const { count } = (await this.#pool.query<{ count: number }>(text, [app])).rows[0]!;
      if (count === wanted) return;
      if (performance.now() > latest) throw new Error(`calls_missing: ${count} of ${wanted} calls with ${condition}`);
    }
  }
}

function sendCommand(ws: WebSocket, id: string, run: string, index: number): void {
  ws.send(JSON.stringify({ type: 'command', id, run, command: 'cancel_tool', args: { index } }));
}

/** The tools' process writes when it has nothing better to do. */
async function notesIn(file: string, lines: number): Promise<string> {
  for (const latest = performance.now() + LATEST_MS; ; await sleep(50)) {
    const notes = await readFile(file, 'utf8').catch(() => '');
    if (notes.split('\n').length > lines || performance.now() > latest) return notes;
  }
}

/** In milliseconds. Every call that was cancelled must have heard its signal, once. */
function delaysOf(sent: ReadonlyMap<string, number>, notes: string): number[] {
  const heard = new Map<string, number>();
  for (const line of notes.trimEnd().split('\n')) {
    const [run, index, at] = line.split(' ');
    heard.set(`${run} ${index}`, Number(at));
  }
  const delays = [...sent].map(([call, at]) => ((heard.get(call) ?? Number.NaN) - at) / 1e6);
  const missing = delays.filter(Number.isNaN).length;
  if (missing > 0) throw new Error(`signals_missing: ${missing} of ${sent.size} calls never heard their signal`);
  return delays;
}

const roundText = (all: Readonly<Record<string, Quantiles>>): string =>
  Object.entries(all)
    .map(([name, { p50, p99 }]) => `${name} ${p50.toFixed(1)}/${p99.toFixed(1)} ms`)
    .join(', ');

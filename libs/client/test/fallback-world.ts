import { setTimeout as sleep } from 'node:timers/promises';
import { commandSubject, type RunState } from '@toolstream/proto-events';
import { type CommandService, serveCommands } from '@toolstream/service-kit';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, vi } from 'vitest';
import type { HandRun } from '../../../services/edge/test/hand-run.ts';
import {
  startTestEdge,
  startTestLog,
  type TestEdge,
  type TestLog,
  token,
} from '../../../services/edge/test/harness.ts';
import { clientWith, type Parts } from '../src/client.ts';
import type { Client, ClientOptions, RunWatch, TransportName } from '../src/index.ts';
import type { ClientTiming } from '../src/request-timing.ts';
import { TIMING } from '../src/timing.ts';
import { Middlebox } from './middlebox.ts';

/** What nobody wants to sit through. Everything else is as it is in use. */
const QUICK: ClientTiming = {
  ...TIMING,
  slowGreetingMs: 300,
  steadyMs: 1_000,
  holdMs: 100,
  probeMinMs: 300,
  probeMaxMs: 600,
  reachMs: 1_000,
  streamOpenMs: 400,
  pollMinMs: 20,
  pollMaxMs: 80,
  recentMs: 500,
  aliveMs: 200,
};

/** A real edge, reached through a middlebox that is another one for each test, and an orchestrator that notes commands. */
class FallbackWorld {
  store!: TestLog;
  edge!: TestEdge;
  proxy!: Middlebox;
  readonly commands: { name: string; command_id: string }[] = [];
  answerAfterMs = 0;
  #orchestrator!: CommandService;

  async start(): Promise<void> {
    this.store = await startTestLog();
    const endpoint = (name: string) => ({
      subject: commandSubject(name),
      handler: async (body: unknown) => {
        this.commands.push({ name, command_id: (body as { command_id: string }).command_id });
        await sleep(this.answerAfterMs);
        return { ok: true, cursor: 'e.0:7' };
      },
    });
    this.#orchestrator = await serveCommands(this.store.nc, {
      name: 'orchestrator',
      version: '0.0.1',
      endpoints: { pause: endpoint('pause'), resume: endpoint('resume') },
    });
    this.edge = await startTestEdge(this.store.nats, {
      TOOLSTREAM_TOKEN_GRACE_MS: '50',
      TOOLSTREAM_HEARTBEAT_MS: '1000',
    });
  }

  async stop(): Promise<void> {
    await this.edge.stop();
    await this.#orchestrator.stop();
    await this.store.stop();
  }

  async begin(): Promise<() => Promise<void>> {
    this.commands.length = 0;
    this.answerAfterMs = 0;
    // Delays before retries near their least.
    const random = seeded(1);
    vi.spyOn(Math, 'random').mockImplementation(() => random() / 10);
    const proxy = await Middlebox.start(this.edge.url);
    this.proxy = proxy;
    return () => {
      vi.restoreAllMocks();
      return proxy.stop();
    };
  }

  connect(options: Partial<ClientOptions> = {}, timing: Partial<ClientTiming> = {}, parts?: Parts): Client {
    const all = { url: this.proxy.url, token: () => token(), ...options };
    const client = clientWith(all, { ...QUICK, ...timing }, parts);
    onTestFinished(() => client.close());
    return client;
  }
}

/** One for all tests of a file. */
export function useFallbackWorld(): FallbackWorld {
  const world = new FallbackWorld();
  beforeAll(() => world.start());
  afterAll(() => world.stop());
  beforeEach(() => world.begin());
  return world;
}

/** A small generator of numbers that look random and are the same every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Collects the cursors of a watch's events: what must be the log, each once and in order. */
export function cursors(watch: RunWatch): string[] {
  const seen: string[] = [];
  watch.on('event', ({ cursor }) => seen.push(cursor));
  return seen;
}

export async function expectWhole(run: HandRun, watch: RunWatch, seen: readonly string[]): Promise<void> {
  expect(withoutCursor(await watch.done)).toEqual(await run.state());
  expect(seen).toEqual((await run.seqs()).map((seq) => run.cursor(seq)));
}
const withoutCursor = ({ cursor: _, ...state }: RunState & { cursor?: string }) => state;

export const open = (client: Client, transport: TransportName, timeout = 6_000) =>
  vi.waitFor(() => expect(client.connection).toMatchObject({ status: 'open', transport }), { timeout, interval: 10 });

export const states = (client: Client): string[] => {
  const seen: string[] = [];
  client.onConnection(({ status, transport }) => seen.push(`${transport} ${status}`));
  return seen;
};

import { Kvm } from '@nats-io/kv';
import { MESSAGES_BUCKET, messageKey, querySubject } from '@toolstream/proto-events';
import { type CommandService, serveCommands } from '@toolstream/service-kit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { HandRun } from '../../../services/edge/test/hand-run.ts';
import {
  startTestEdge,
  startTestLog,
  type TestEdge,
  type TestLog,
  token,
  uniqueName,
} from '../../../services/edge/test/harness.ts';
import { clientWith } from '../src/client.ts';
import type { Client, MessageWatch, TransportName } from '../src/index.ts';
import { TIMING } from '../src/timing.ts';
import { Middlebox } from './middlebox.ts';

let store: TestLog;
let edge: TestEdge;
let projection: CommandService;
/** What the projection would list. */
const newest = new Map<string, HandRun>();
/** Messages of which a client has been told that they have no run. */
const waiting = new Set<string>();

class ListeningSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    this.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; message_id?: string };
      if (frame.type === 'waiting') waiting.add(frame.message_id!);
    });
  }
}

beforeAll(async () => {
  store = await startTestLog();
  edge = await startTestEdge(store.nats, { TOOLSTREAM_FEED_LINGER_MS: '50' });
  projection = await serveCommands(store.nc, {
    name: 'projection',
    version: '0.0.1',
    endpoints: {
      runs: {
        subject: querySubject('runs'),
        handler: async (query: unknown) => {
          const { message_id } = query as { message_id: string };
          const run = newest.get(message_id);
          if (!run) waiting.add(message_id);
          const at = new Date().toISOString();
          const item = { status: 'running', cursor: 'e.0:1', accepted_at: at, tools_total: 1, tools_ended: 0 };
          return { runs: run ? [{ ...item, run_id: run.run, app: run.app }] : [] };
        },
      },
    },
  });
});
afterAll(async () => {
  await edge.stop();
  await projection.stop();
  await store.stop();
});

function connect(transports: readonly TransportName[], url = edge.url): Client {
  const timing = { ...TIMING, pollMinMs: 20, pollMaxMs: 50 };
  const client = clientWith({ url, token: () => token(), transports, WebSocket: ListeningSocket }, timing);
  onTestFinished(() => client.close());
  return client;
}

let clock = Date.parse('2026-01-01T00:00:00Z');

/** A run of a message, as the orchestrator and the projection make it known. */
async function accepted(message_id: string): Promise<HandRun> {
  const run = await HandRun.accept(store.log, { message_id });
  const link = { run: run.run, app: run.app, accepted_at: new Date(clock++).toISOString() };
  const bucket = await new Kvm(store.nc).open(MESSAGES_BUCKET);
  await bucket.put(messageKey('t1', message_id), JSON.stringify(link));
  newest.set(message_id, run);
  return run;
}

/** What a watch tells, run by run. */
function story(watch: MessageWatch): string[] {
  const told: string[] = [];
  watch.on('attached', ({ run }) => told.push(`attached ${run}`));
  watch.on('snapshot', () => told.push('snapshot'));
  watch.on('event', ({ event }) => told.push(event.type));
  watch.on('end', ({ run }) => told.push(`end ${run}`));
  return told;
}

const WHOLE = [
  'run.accepted.v1',
  'run.started.v1',
  'tool.queued.v1',
  'tool.started.v1',
  'tool.progressed.v1',
  'tool.succeeded.v1',
  'run.succeeded.v1',
];

describe.each(['websocket', 'sse', 'polling'] as const)('a message that is watched over %s', (transport) => {
  it('is waited for before it has a run, and every run that it gets is seen whole', async () => {
    const message = uniqueName('m');
    const watch = connect([transport]).watchMessage(message);
    const told = story(watch);
    expect([watch.run, watch.state]).toEqual([undefined, undefined]);
    await vi.waitFor(() => expect(waiting).toContain(message));
    expect(edge.edge.services.messages.size).toBe(Number(transport === 'websocket'));
    const first = await accepted(message);
    await first.finish(1);
    expect(await watch.done).toEqual(await first.state());
    const second = await accepted(message);
    await second.finish(1);
    const whole = ({ run }: HandRun) => [`attached ${run}`, ...WHOLE, `end ${run}`];
    await vi.waitFor(() => expect(told).toEqual([...whole(first), ...whole(second)]));
    expect(watch.run).toBe(second.run);
    expect(watch.state).toEqual(await second.state());
    watch.close();
    await vi.waitFor(() => expect(edge.edge.services.messages.size).toBe(0));
  });

  it('follows the newest run: the one before is left where it is', async () => {
    const message = uniqueName('m');
    const first = await accepted(message);
    await first.start();
    const watch = connect([transport]).watchMessage(message);
    const told = story(watch);
    await vi.waitFor(() => expect(told).toEqual([`attached ${first.run}`, 'snapshot']));
    const second = await accepted(message);
    await vi.waitFor(() => expect(told.slice(2)).toEqual([`attached ${second.run}`, 'run.accepted.v1']));
    await first.startTool(0);
    await second.start();
    await vi.waitFor(() => expect(told.slice(4)).toEqual(['run.started.v1']));
    expect(watch.state?.run_id).toBe(second.run);
  });

  it('does not disturb who watches the run itself', async () => {
    const message = uniqueName('m');
    const first = await accepted(message);
    await first.start();
    const client = connect([transport]);
    const ofMessage = client.watchMessage(message);
    await vi.waitFor(() => expect(ofMessage.state?.run_id).toBe(first.run));
    const ofRun = client.watch(first.run);
    const late = client.watchMessage(message);
    await vi.waitFor(() => expect(late.state).toBe(ofMessage.state));
    await accepted(message);
    await vi.waitFor(() => expect(ofMessage.run).not.toBe(first.run));
    await first.startTool(0);
    await first.succeedTool(0);
    await first.succeed();
    expect(await ofRun.done).toMatchObject({ run_id: first.run, status: 'succeeded' });
    ofMessage.close();
    expect(late.run).toBe(newest.get(message)!.run);
  });
});

describe('a message whose connection breaks', () => {
  it('is followed on from the cursor, also into another transport', async () => {
    const box = await Middlebox.start(edge.url);
    onTestFinished(() => box.stop());
    const message = uniqueName('m');
    const run = await accepted(message);
    const watch = connect(['websocket', 'sse', 'polling'], box.url).watchMessage(message);
    const told = story(watch);
    await vi.waitFor(() => expect(told).toEqual([`attached ${run.run}`, 'snapshot']));
    await run.start();
    await vi.waitFor(() => expect(told).toHaveLength(3));
    box.cut();
    await run.startTool(0);
    await vi.waitFor(() => expect(told).toHaveLength(5), { timeout: 5_000 });
    box.treatments.upgrade = 'refuse';
    box.cut();
    await run.succeedTool(0);
    await run.succeed();
    await watch.done;
    expect(told.filter((one) => one !== 'snapshot').slice(1, -1)).toEqual(
      WHOLE.slice(1).filter((type) => type !== 'tool.progressed.v1'),
    );
  });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fold, toSnapshot } from '@toolstream/domain';
import type { RunState, ToolstreamEvent } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';

const PAGE = new URL('../../../docs/clients/write-your-own-client.md', import.meta.url);

interface Following {
  url: string;
  getToken(): Promise<string>;
  run: string;
  from?: string;
  onSnapshot(state: RunState & { cursor: string }, reason: string): void;
  onEvent(event: ToolstreamEvent, folded: number): void;
  onEnd(status: string): void;
  onError?(error: { code: string }): void;
}
type Follow = (options: Following) => () => void;

let store: TestLog;
let edge: TestEdge;
let folder: string;
let follow: Follow;

beforeAll(async () => {
  store = await startTestLog();
  edge = await startTestEdge(store.nats);
  folder = await mkdtemp(join(tmpdir(), 'own-client-'));
  const page = await readFile(PAGE, 'utf8');
  const code = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block]) => block).join('');
  const file = join(folder, 'own-client.mjs');
  await writeFile(file, code);
  ({ follow } = (await import(pathToFileURL(file).href)) as { follow: Follow });
});
afterAll(async () => {
  await edge.stop();
  await store.stop();
  await rm(folder, { recursive: true });
});

/** Passes bytes on and cuts every connection after `bytes` of the service's, more with each one. */
async function cuttingProxy(target: string, bytes: number): Promise<{ url: string; cuts(): number; close(): void }> {
  const { port } = new URL(target);
  let connections = 0;
  let cuts = 0;
  const server = net.createServer((client) => {
    let left = bytes * ++connections;
    const upstream = net.connect(Number(port), '127.0.0.1');
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on('error', end).on('close', end);
    upstream.on('error', end).on('close', end);
    client.pipe(upstream);
    upstream.on('data', (data) => {
      client.write(data.subarray(0, left));
      left -= data.length;
      if (left > 0) return;
      cuts++;
      client.destroySoon();
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `ws://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  return { url, cuts: () => cuts, close: () => server.close() };
}

describe('the client of the page "write your own client"', () => {
  it('gets every event once and in order, however often its connection breaks in the middle of a frame', async () => {
    const proxy = await cuttingProxy(edge.wsUrl, 1_700);
    const run = await HandRun.accept(store.log, { tools: 1 });
    const events: ToolstreamEvent[] = [];
    const ended = new Promise<string>((onEnd, onError) => {
      follow({
        url: proxy.url,
        getToken: async () => token(),
        run: run.run,
        from: 'start',
        onSnapshot: () => onError(new Error('no snapshot was asked for')),
        onEvent: (event) => events.push(event),
        onEnd,
        onError,
      });
    });
    await run.start();
    await run.startTool(0);
    for (let step = 1; step <= 40; step++) {
      await run.progress(0, step);
      if (step % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 150));
    }
    await run.succeedTool(0);
    await run.succeed();
    expect(await ended).toBe('succeeded');
    expect(events.map(({ id }) => id)).toEqual((await run.recorded()).map(({ event }) => event.id));
    expect(proxy.cuts()).toBeGreaterThan(1);
    proxy.close();
  });

  it('is shown a snapshot, and after it exactly the events that it does not hold', async () => {
    const run = await HandRun.accept(store.log, { tools: 1 });
    await run.start();
    await run.startTool(0);
    let snapshot: (RunState & { cursor: string }) | undefined;
    const later: ToolstreamEvent[] = [];
    const ended = new Promise<string>((onEnd) => {
      follow({
        url: edge.url.replace('http', 'ws'),
        getToken: async () => token(),
        run: run.run,
        onSnapshot: (state) => {
          snapshot = state;
        },
        onEvent: (event) => later.push(event),
        onEnd,
      });
    });
    await until(() => snapshot !== undefined);
    await run.progress(0, 50);
    await run.succeedTool(0);
    await run.succeed();
    expect(await ended).toBe('succeeded');
    const all = await run.recorded();
    const known = all.length - later.length;
    expect(later.map(({ id }) => id)).toEqual(all.slice(known).map(({ event }) => event.id));
    expect(snapshot).toEqual(toSnapshot(fold(all.slice(0, known))!, snapshot!.cursor));
  });

  it('ends with the reason when the run is not there', async () => {
    const code = await new Promise<string>((resolve) => {
      follow({
        url: edge.url.replace('http', 'ws'),
        getToken: async () => token(),
        run: '0-01JD2Y8R5W6Z0T4V9N3K7M1QXC',
        onSnapshot: () => {},
        onEvent: () => {},
        onEnd: () => {},
        onError: (error) => resolve(error.code),
      });
    });
    expect(code).toBe('not_found');
  });
});

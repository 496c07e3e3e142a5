import { type IncomingMessage, request } from 'node:http';
import type { UIMessageChunk } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from '../hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from '../harness.ts';
import { contentOf, type Told, verified } from './agui-checks.ts';
import { messagesOf } from './translate.ts';
import { messageOf } from './ui-stream-checks.ts';

/** Clients of translated streams that do not read for a while, or not at all. */
let store: TestLog;
let edge: TestEdge;
const BUFFER = 64 * 1024;
beforeAll(async () => {
  store = await startTestLog();
  edge = await startTestEdge(store.nats, {
    TOOLSTREAM_CLIENT_BUFFER_BYTES: String(BUFFER),
    TOOLSTREAM_SLOW_CLIENT_MS: '2000',
  });
});
afterAll(async () => {
  await edge.stop();
  await store.stop();
});

const open = (path: string, body?: object): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token()}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    };
    const sent = request(edge.url + path, { method: body ? 'POST' : 'GET', headers }, (response) => {
      response.pause();
      resolve(response);
    });
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
const agui = (run: string) => ({
  threadId: 't',
  runId: 'r',
  messages: [],
  forwardedProps: { toolstream: { run } },
});
const readAll = async (response: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
};
const waiting = () => edge.edge.services.clients.sum('waitingBytes');

/** More than the kernel takes for a client that does not read: what then waits stays. */
async function flood(run: HandRun): Promise<void> {
  for (let at = 0, full = 0; full < 5; at++) {
    expect(at).toBeLessThan(100);
    for (let step = 0; step < 10; step++) {
      const data = { stage: 'writing', details: { text: `${at} ${step}`.padEnd(25_000) } };
      await run.append({ type: 'tool.progressed.v1', data, writer: 0, toolindex: 0, attempt: 1 });
    }
    full = waiting() > BUFFER / 4 ? full + 1 : 0;
  }
}

describe('a client that reads nothing for a while', () => {
  it.each(['agui', 'ui-stream'])('of %s is told less, and in the end all that matters', async (protocol) => {
    const run = await HandRun.accept(store.log, { tools: 2 });
    await run.start();
    await run.startTool(0);
    const response =
      protocol === 'agui' ? await open('/agui', agui(run.run)) : await open(`/v1/runs/${run.run}/ui-stream`);
    await flood(run);
    await run.succeedTool(0, { of: 'call 0' });
    await run.startTool(1);
    await run.succeedTool(1, { of: 'call 1' });
    await run.succeed();
    expect(waiting()).toBeLessThan(4 * BUFFER);
    const body = await readAll(response);
    const state = await run.state();
    if (protocol === 'agui') {
      const told = messagesOf(body) as Told[];
      expect(await verified(told)).toHaveLength(told.length);
      const results = told.filter(({ type }) => type === 'TOOL_CALL_RESULT');
      expect(results.map(({ content }) => content)).toEqual([contentOf(state, 0), contentOf(state, 1)]);
      expect(told.at(-1)).toMatchObject({ type: 'RUN_FINISHED', outcome: { type: 'success' } });
    } else {
      const { message, errors } = await messageOf(body);
      expect(errors).toEqual([]);
      const outputs = message!.parts.filter((part) => part.type === 'dynamic-tool');
      expect(outputs).toMatchObject([{ output: { of: 'call 0' } }, { output: { of: 'call 1' } }]);
      expect((messagesOf(body) as UIMessageChunk[]).at(-1)).toMatchObject({ type: 'finish' });
    }
    await until(() => edge.edge.services.clients.size === 0);
  });

  it('and never again is cut off', async () => {
    const run = await HandRun.accept(store.log);
    await run.start();
    await run.startTool(0);
    const response = await open('/agui', agui(run.run));
    await flood(run);
    await until(() => edge.edge.services.clients.size === 0);
    await expect(readAll(response)).rejects.toThrow('aborted');
  });
});

describe('a client that stays beyond its token', () => {
  it('is told so in its protocol’s words', async () => {
    const short = await startTestEdge(store.nats, { TOOLSTREAM_TOKEN_GRACE_MS: '1', TOOLSTREAM_HEARTBEAT_MS: '40' });
    const run = await HandRun.accept(store.log);
    const bearer = token({ exp: Math.floor(Date.now() / 1000) + 2 });
    const [ui, events] = await Promise.all([
      short.fetch(`/v1/runs/${run.run}/ui-stream`, { token: bearer }),
      short.fetch('/agui', { method: 'POST', body: JSON.stringify(agui(run.run)), token: bearer }),
    ]);
    const [uiBody, body] = await Promise.all([ui.text(), events.text()]);
    expect(messagesOf(body).at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'token_expired' });
    expect(messagesOf(uiBody).at(-1)).toMatchObject({ type: 'error' });
    // Heartbeats are comments, which both protocols allow anywhere.
    expect(body).toContain('\n\n:\n\n');
    await short.stop();
  });
});

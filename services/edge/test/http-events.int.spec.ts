import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, uniqueName, until } from './harness.ts';
import { problem } from './http-support.ts';

let store: TestLog;
let edge: TestEdge;

beforeAll(async () => {
  store = await startTestLog();
  edge = await startTestEdge(store.nats);
});
afterAll(async () => {
  await edge.stop();
  await store.stop();
});

describe('GET /v1/runs/:id/events', () => {
  const sse = async (path: string, headers: Record<string, string> = {}) => {
    const response = await edge.fetch(path, { headers: { accept: 'text/event-stream', ...headers } });
    const text = response.status === 200 ? await response.text() : '';
    const messages = text
      .split('\n\n')
      .map((block) => block.split('\n'))
      .filter((lines) => lines.some((line) => line.startsWith('data: ')))
      .map((lines) => ({
        id: lines.find((line) => line.startsWith('id: '))?.slice(4),
        frame: JSON.parse(lines.find((line) => line.startsWith('data: '))!.slice(6)) as {
          type: string;
          cursor: string;
          prev?: string;
        },
      }));
    return { response, messages };
  };

  it('streams a snapshot first, and every frame with its cursor as id', async () => {
    const run = await HandRun.accept(store.log);
    const reading = sse(`/v1/runs/${run.run}/events`);
    await until(() => edge.edge.services.clients.count('stream') === 1);
    await run.finish(2);
    const { response, messages } = await reading;
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(messages[0]?.frame.type).toBe('snapshot');
    expect(messages.at(-1)?.frame.type).toBe('end');
    for (const { id, frame } of messages) expect(id).toBe(frame.cursor);
  });

  it('resumes behind Last-Event-ID, which wins over the cursor in the address', async () => {
    const run = await HandRun.accept(store.log);
    await run.finish(5);
    const seqs = await run.seqs();
    const whole = await sse(`/v1/runs/${run.run}/events?cursor=start`);
    const events = whole.messages.filter(({ frame }) => frame.type === 'event');
    expect(events.map(({ id }) => id)).toEqual(seqs.map((seq) => run.cursor(seq)));
    const third = events[2]!.id!;
    const rest = await sse(`/v1/runs/${run.run}/events?cursor=start`, { 'last-event-id': third });
    expect(rest.messages[0]?.frame.prev).toBe(third);
    expect(rest.messages.filter(({ frame }) => frame.type === 'event')).toHaveLength(seqs.length - 3);
  });

  it('answers 204 once the run has ended and the cursor is at its end', async () => {
    const run = await HandRun.accept(store.log);
    const last = await run.finish();
    expect((await sse(`/v1/runs/${run.run}/events?cursor=${run.cursor(last)}`)).response.status).toBe(204);
    const { response, messages } = await sse(`/v1/runs/${run.run}/events?cursor=foreign.0:${last}`);
    expect(response.status).toBe(200);
    expect(messages[0]?.frame).toMatchObject({ type: 'snapshot', reason: 'epoch' });
  });

  it('takes the token from the address, where EventSource can send no header', async () => {
    const run = await HandRun.accept(store.log);
    await run.finish();
    const path = `/v1/runs/${run.run}/events`;
    expect((await edge.fetch(`${path}?token=${token()}`, { token: '', headers: { accept: '*/*' } })).status).toBe(200);
    expect((await edge.fetch(`/v1/runs/${run.run}?token=${token()}`, { token: '' })).status).toBe(401);
    expect(await problem(await edge.fetch(`${path}?cursor=x`))).toMatchObject({ status: 400, code: 'bad_cursor' });
    const json = await edge.fetch(path, { headers: { accept: 'application/json' } });
    expect(await problem(json)).toMatchObject({ status: 400, code: 'bad_request' });
  });

  it('writes the history so far as NDJSON, an event frame a line', async () => {
    const run = await HandRun.accept(store.log, { tools: 2 });
    await run.finish(400);
    const response = await edge.fetch(`/v1/runs/${run.run}/events`, { headers: { accept: 'application/x-ndjson' } });
    const lines = (await response.text()).trimEnd().split('\n');
    const seqs = await run.seqs();
    expect(lines).toHaveLength(seqs.length);
    let prev = run.cursor(0);
    for (const [at, line] of lines.entries()) {
      const frame = JSON.parse(line) as { type: string; prev: string; cursor: string };
      expect(frame).toMatchObject({ type: 'event', prev, cursor: run.cursor(seqs[at]!) });
      prev = frame.cursor;
    }
  });
});

describe('GET /v1/apps/:app/events', () => {
  type Frame = { type: string; app: string; run: string; prev: string; cursor: string; state: { runs: object[] } };
  const history = async (app: string, cursor?: string) => {
    const path = `/v1/apps/${app}/events${cursor === undefined ? '' : `?cursor=${cursor}`}`;
    const response = await edge.fetch(path, { headers: { accept: 'application/x-ndjson' } });
    expect(response.headers.get('content-type')).toContain('application/x-ndjson');
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Frame);
  };

  it('begins with a snapshot as NDJSON, and chains every run of the app behind a cursor', async () => {
    const app = uniqueName('app');
    const first = await HandRun.accept(store.log, { app });
    const [snapshot, ...none] = await history(app);
    expect(snapshot).toMatchObject({ type: 'snapshot', app, state: { runs: [{ run_id: first.run }] } });
    expect(none).toEqual([]);
    const second = await HandRun.accept(store.log, { app });
    await first.finish(1);
    const frames = await history(app, snapshot!.cursor);
    expect(frames.filter(({ type }) => type === 'end')).toMatchObject([{ app, run: first.run }]);
    let prev = snapshot!.cursor;
    const events = frames.filter(({ type }) => type === 'event');
    for (const frame of events) {
      expect(frame).toMatchObject({ app, prev });
      prev = frame.cursor;
    }
    expect(events[0]).toMatchObject({ run: second.run });
    expect(await history(app, prev)).toEqual([]);
    expect(await history(app, 'start')).toHaveLength(frames.length + 1);
  });

  it('streams them as SSE from a cursor on, ends of runs included', async () => {
    const app = uniqueName('app');
    const run = await HandRun.accept(store.log, { app });
    const [snapshot] = await history(app);
    const leave = new AbortController();
    const response = await edge.fetch(`/v1/apps/${app}/events?cursor=${snapshot!.cursor}`, {
      headers: { accept: 'text/event-stream' },
      signal: leave.signal,
    });
    await run.finish(1);
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('"type":"end"')) break;
    }
    leave.abort();
    expect(text).toContain(`"app":"${app}","run":"${run.run}"`);
    expect(text).toContain('"type":"caught_up"');
  });

  it('is for those who may use the app, and for cursors of this log', async () => {
    const events = (cursor: string, claims = {}) =>
      edge.fetch(`/v1/apps/app-1/events?cursor=${cursor}`, {
        headers: { accept: 'application/x-ndjson' },
        token: token(claims),
      });
    expect(await problem(await events('start', { apps: ['other'] }))).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await problem(await events('foreign.0:1'))).toMatchObject({ status: 400, code: 'bad_cursor' });
    expect((await edge.fetch('/v1/apps/no.app/events')).status).toBe(404);
  });
});

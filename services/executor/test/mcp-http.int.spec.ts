import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Job } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Executor } from '../src/index.ts';
import { Bench } from './harness.ts';
import { eventually, everythingOverHttp, freePort, mcp } from './mcp-servers.ts';

let bench: Bench;
let executor: Executor;
let port: number;
let server: ChildProcess | undefined;
beforeAll(async () => {
  bench = await Bench.start();
  port = await freePort();
  // Not there yet when the executor starts.
  executor = await bench.executor({ TOOLSTREAM_MCP: mcp({ web: { url: `http://127.0.0.1:${port}/mcp` } }) });
});
afterAll(async () => {
  server?.kill('SIGKILL');
  await bench?.stop();
});

const call = (name: string, args: Job['arguments'] = {}, over: Partial<Job> = {}) =>
  bench.dispatch(name, args, { isolation: 'inline', ...over });
const isUp = () => eventually('the server is up', () => executor.mcp.states.web === 'up', 20_000);
async function kill(): Promise<void> {
  const gone = once(server!, 'exit');
  server?.kill('SIGKILL');
  await gone;
}

describe('a server over streamable HTTP', () => {
  it('that is away at start does not keep the native tools from being served, and the readiness says what is wrong', async () => {
    expect(executor.readiness.checks).toEqual({ 'mcp.web': expect.stringMatching(/ECONNREFUSED|fetch failed/) });
    const job = await call('noop', { value: 1 });
    await bench.until(job, 'tool.succeeded.v1');
  });

  it('is served as soon as it comes', async () => {
    server = await everythingOverHttp(port);
    await isUp();
    const job = await call('web_get-sum', { a: 2, b: 40 });
    expect((await bench.until(job, 'tool.succeeded.v1')).data.result).toContain('42');
  });

  it('streams progress', async () => {
    const job = await call('web_trigger-long-running-operation', { duration: 1, steps: 4 });
    await bench.until(job, 'tool.succeeded.v1');
    const progress = (await bench.events(job)).flatMap((event) =>
      event.type === 'tool.progressed.v1' ? [event.data.progress] : [],
    );
    expect(progress).toEqual([25, 50, 75, 100]);
  });

  it('cancels', async () => {
    const job = await call('web_trigger-long-running-operation', { duration: 20, steps: 100 });
    await bench.until(job, 'tool.progressed.v1');
    await bench.runEvent(job, 'run.cancel_requested.v1', { cause: 'command' });
    bench.signal(job);
    await bench.until(job, 'tool.cancelled.v1');
  });

  it('times out', async () => {
    const args = { duration: 20, steps: 100 };
    const job = await call('web_trigger-long-running-operation', args, { timeout_ms: 500 });
    expect((await bench.until(job, 'tool.failed.v1')).data.error.code).toBe('timeout');
  });

  it('that is restarted gets a new session, and no call is lost', async () => {
    await kill();
    server = await everythingOverHttp(port);
    // The session is the old server's: this one refuses it.
    const job = await call('web_echo', { message: 'new session' });
    expect((await bench.until(job, 'tool.succeeded.v1')).data.result).toBe('Echo: new session');
    await isUp();
  });

  it('that is killed fails the calls in flight, and those that come while it is away, retryably', async () => {
    const flying = await call('web_trigger-long-running-operation', { duration: 30, steps: 100 });
    await bench.until(flying, 'tool.progressed.v1');
    await kill();
    expect((await bench.until(flying, 'tool.failed.v1', 0, 15_000)).data).toMatchObject({
      error: { code: 'mcp_connection_lost' },
      retryable: true,
    });
    const late = await call('web_echo', { message: 'anybody?' });
    expect((await bench.until(late, 'tool.failed.v1', 0, 15_000)).data).toMatchObject({
      error: { code: 'mcp_unavailable' },
      retryable: true,
    });
    server = await everythingOverHttp(port);
    await isUp();
    const again = await call('web_echo', { message: 'back' });
    await bench.until(again, 'tool.succeeded.v1');
  });
});

import { join } from 'node:path';
import type { Job } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Executor } from '../src/index.ts';
import { Bench } from './harness.ts';
import { mcp } from './mcp-servers.ts';

let bench: Bench;
let executor: Executor;
beforeAll(async () => {
  bench = await Bench.start();
  const server = join(import.meta.dirname, 'fixtures/modern-mcp-server.mjs');
  const modern = { command: process.execPath, args: [server], elicitation: 'approval' };
  executor = await bench.executor({ TOOLSTREAM_MCP: mcp({ modern }) });
});
afterAll(() => bench?.stop());

const call = (name: string, args: Job['arguments'], over: Partial<Job> = {}) =>
  bench.dispatch(name, args, { isolation: 'inline', ...over });

describe('an MCP server of the revision 2026-07-28', () => {
  it('is spoken to in its revision, and streams progress', async () => {
    expect(executor.mcp.states).toEqual({ modern: 'up' });
    const job = await call('modern_count', { to: 4 });
    expect((await bench.until(job, 'tool.succeeded.v1')).data.result).toBe('counted to 4');
    const progress = (await bench.events(job)).flatMap((event) =>
      event.type === 'tool.progressed.v1' ? [event.data.progress] : [],
    );
    expect(progress).toEqual([25, 50, 75, 100]);
  });

  it('is cancelled', async () => {
    const job = await call('modern_count', { to: 1000 });
    await bench.until(job, 'tool.progressed.v1');
    await bench.runEvent(job, 'run.cancel_requested.v1', { cause: 'command' });
    bench.signal(job);
    await bench.until(job, 'tool.cancelled.v1');
  });

  it('asks a person: the attempt hands the call back with the question, the next one has the answer', async () => {
    const first = await call('modern_deploy', { env: 'staging' }, { idempotent: false });
    const released = await bench.until(first, 'tool.released.v1');
    expect(released.data).toMatchObject({
      reason: 'input',
      request: { message: 'Deploy to staging?', schema: { required: ['confirm'] } },
    });
    const stored = await bench.stored(first);
    const checkpoint = (await bench.until(first, 'tool.checkpointed.v1')).data.state;
    const again = {
      run: first.run,
      dispatch: 2,
      attempt: 2,
      tool_seq: stored.at(-1)!.seq,
      checkpoint,
      idempotent: false,
    };
    const second = await call('modern_deploy', { env: 'staging', _elicitation: { confirm: true } }, again);
    expect((await bench.until(second, 'tool.succeeded.v1')).data.result).toBe('deployed to staging');
  });
});

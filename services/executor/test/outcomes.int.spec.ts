import { isArtifactRef } from '@toolstream/proto-events';
import { openArtifacts } from '@toolstream/stores';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
  await bench.executor({ SLOTS: '8', TOOLSTREAM_THREAD_HEAP_MB: '64' });
});
afterAll(() => bench.stop());

describe('an attempt fails', () => {
  it('with what the tool says', async () => {
    const job = await bench.dispatch('failing', { how: 'failure' });
    expect((await bench.until(job, 'tool.failed.v1')).data).toMatchObject({
      error: { code: 'no_luck', message: 'Not today.', details: { try: 'later' } },
      retryable: false,
    });
  });

  it('with tool_error when the tool throws, retryably if it may run twice', async () => {
    const job = await bench.dispatch('failing', { how: 'error' });
    expect((await bench.until(job, 'tool.failed.v1')).data).toMatchObject({
      error: { code: 'tool_error', message: 'TypeError: x is not a function' },
      retryable: true,
    });
    const once = await bench.dispatch('failing', { how: 'error' }, { idempotent: false });
    expect((await bench.until(once, 'tool.failed.v1')).data.retryable).toBe(false);
  });

  it.each(['thread', 'process'] as const)('with tool_crashed when its %s ends without an answer', async (isolation) => {
    const job = await bench.dispatch('failing', { how: 'exit' }, { isolation });
    expect((await bench.until(job, 'tool.failed.v1')).data).toMatchObject({
      error: { code: 'tool_crashed' },
      retryable: true,
    });
  });

  it('with out_of_memory when it needs more than its thread has, and not retryably', async () => {
    const job = await bench.dispatch('failing', { how: 'memory' });
    expect((await bench.until(job, 'tool.failed.v1', 0, 20_000)).data).toMatchObject({
      error: { code: 'out_of_memory', message: expect.stringContaining('memory') },
      retryable: false,
    });
  });

  it.each(['inline', 'thread'] as const)('with invalid_arguments when they do not fit (%s)', async (isolation) => {
    const job = await bench.dispatch('stepper', { steps: 'many' }, { isolation });
    expect((await bench.until(job, 'tool.failed.v1')).data).toMatchObject({
      error: { code: 'invalid_arguments' },
      retryable: false,
    });
  });

  it('with unknown_tool when this executor does not serve it', async () => {
    const job = await bench.dispatch('nobody-knows', {});
    expect((await bench.until(job, 'tool.failed.v1')).data.error.code).toBe('unknown_tool');
  });

  it.each(['inline', 'thread', 'process'] as const)('with timeout when it takes too long (%s)', async (isolation) => {
    const job = await bench.dispatch('stepper', { steps: 1000, ms: 10 }, { isolation, timeout_ms: 700 });
    const { data } = await bench.until(job, 'tool.failed.v1');
    expect(data).toMatchObject({ error: { code: 'timeout' }, retryable: true });
    expect(data.metrics?.duration_ms).toBeGreaterThanOrEqual(700);
  });

  it('with timeout when it computes for too long', async () => {
    const job = await bench.dispatch('spinner', { ms: 60_000 }, { timeout_ms: 400 });
    expect((await bench.until(job, 'tool.failed.v1')).data.error.code).toBe('timeout');
  });
});

describe('what an attempt reports', () => {
  it('is at most 30 progress events a second, in order, the last one included', async () => {
    const job = await bench.dispatch('reporter', { reports: 5000 });
    await bench.until(job, 'tool.succeeded.v1', 0, 20_000);
    const events = (await bench.events(job)).flatMap((event) => (event.type === 'tool.progressed.v1' ? [event] : []));
    const numbers = events.map((event) => (event.data.details as { i: number }).i);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers.at(-1)).toBe(5000);
    const times = events.map((event) => Date.parse(event.time));
    // Stamped by the wall clock and counted by another: one event of slack.
    for (const time of times) expect(times.filter((t) => t > time - 1000 && t <= time).length).toBeLessThanOrEqual(31);
  });

  it('is all of its output, in order and in chunks of at most 32 KiB', async () => {
    const job = await bench.dispatch('chatty', { kib: 300 });
    await bench.until(job, 'tool.succeeded.v1');
    const texts = (await bench.events(job)).flatMap((event) =>
      event.type === 'tool.output.v1' ? [event.data.text] : [],
    );
    expect(texts.every((text) => Buffer.byteLength(text) <= 32 * 1024)).toBe(true);
    expect(texts.length).toBeLessThan(40);
    const lines = texts.join('').trimEnd().split('\n');
    expect(lines.map((line) => Number(line.slice(0, 8)))).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });

  it('continues in an artifact beyond 10 MiB of output, and says so', async () => {
    const job = await bench.dispatch('chatty', { kib: 10 * 1024 + 200 });
    await bench.until(job, 'tool.succeeded.v1', 0, 60_000);
    const outputs = (await bench.events(job)).flatMap((event) => (event.type === 'tool.output.v1' ? [event.data] : []));
    const inline = outputs
      .filter(({ channel }) => channel === 'stdout')
      .map(({ text }) => text)
      .join('');
    expect(inline).toHaveLength(10 * 1024 * 1024);
    const [notice, continued] = outputs.filter(({ channel }) => channel === 'toolstream');
    expect(notice?.text).toContain('artifact');
    const bytes = await (await openArtifacts(bench.nc)).get(continued!.artifact!, { tenant: job.tenant });
    const spilled = Buffer.from(bytes!)
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).text);
    expect(spilled.join('')).toHaveLength(200 * 1024);
  });

  it('survives the attempt as a checkpoint', async () => {
    const job = await bench.dispatch('checkpointer', { ms: 1 }, { checkpoint: { done: 2 } });
    expect(await bench.until(job, 'tool.succeeded.v1')).toMatchObject({ data: { result: { from: 2 } } });
    const kept = (await bench.events(job)).flatMap((event) =>
      event.type === 'tool.checkpointed.v1' ? [event.data] : [],
    );
    expect(kept).toEqual([{ state: { done: 3 } }]);
  });

  it('measures memory in a thread and in a process', async () => {
    for (const isolation of ['thread', 'process'] as const) {
      const job = await bench.dispatch('noop', {}, { isolation });
      expect((await bench.until(job, 'tool.succeeded.v1')).data.metrics.memory_peak_bytes).toBeGreaterThan(1_000_000);
    }
  });
});

describe('large values', () => {
  it('come as artifacts and go as artifacts', async () => {
    const artifacts = await openArtifacts(bench.nc);
    const value = 'x'.repeat(100_000);
    const args = await artifacts.putJsonIfLarge({ value }, { tenant: 'acme' });
    expect(isArtifactRef(args)).toBe(true);
    const job = await bench.dispatch('noop', args, { isolation: 'inline' });
    const { result } = (await bench.until(job, 'tool.succeeded.v1')).data;
    expect(isArtifactRef(result)).toBe(true);
    expect(await artifacts.resolve(result, { tenant: 'acme' })).toEqual({ value, attempt: 1 });
  });

  it('of another tenant are not read', async () => {
    const args = await (await openArtifacts(bench.nc)).putJsonIfLarge(
      { value: 'x'.repeat(100_000) },
      { tenant: 'other' },
    );
    const job = await bench.dispatch('stepper', args, { isolation: 'inline' });
    expect((await bench.until(job, 'tool.failed.v1')).data.error.code).toBe('invalid_arguments');
  });
});

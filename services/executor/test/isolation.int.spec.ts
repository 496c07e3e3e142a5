import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench, FIXTURE_TOOLS } from './harness.ts';

const HOSTILE_TOOLS = new URL('./fixtures/hostile.ts', import.meta.url).pathname;
const LEASE_MS = 1500;

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
  await bench.executor({
    SLOTS: '8',
    TOOLSTREAM_LEASE_MS: String(LEASE_MS),
    TOOLSTREAM_THREAD_HEAP_MB: '128',
    TOOLSTREAM_PROCESS_MEMORY_MB: '384',
    TOOLSTREAM_TOOLS: `${FIXTURE_TOOLS},${HOSTILE_TOOLS}`,
  });
});
afterAll(() => bench.stop());

const outputs = async (job: Job, channel: string) =>
  (await bench.events(job))
    .flatMap((event) => (event.type === 'tool.output.v1' && event.data.channel === channel ? [event.data.text] : []))
    .join('');

/** Runs a hostile call among neighbours that need several leases, and finds the neighbours untouched. */
async function among(how: string, over: Partial<Job>, limitMs = 20_000) {
  const neighbours = [
    await bench.dispatch('stepper', { steps: 40, ms: 60 }, { isolation: 'inline' }),
    await bench.dispatch('stepper', { steps: 40, ms: 60 }, { isolation: 'thread' }),
    await bench.dispatch('stepper', { steps: 40, ms: 60 }, { isolation: 'process' }),
  ];
  const job = await bench.dispatch('hostile', { how }, over);
  const end = await bench.untilEnd(job, 0, limitMs);
  for (const neighbour of neighbours) {
    expect(await bench.untilEnd(neighbour, 0, 20_000)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
    expect((await bench.types(neighbour)).filter((type) => type === 'tool.started')).toHaveLength(1);
  }
  await bench.untilJobsLeft(0);
  return { job, end };
}

const failure = (code: string, message: RegExp, retryable: boolean) => ({
  type: 'tool.failed.v1',
  data: { error: { code, message: expect.stringMatching(message) }, retryable },
});

describe.each(['thread', 'process'] as const)('a tool in a %s', (isolation) => {
  const over = { isolation };

  it.each(['hoard objects', 'hoard large arrays', 'hoard buffers', 'hoard slowly'])(
    'that goes to %s runs out of memory, alone',
    async (how) => {
      const { end } = await among(how, over);
      expect(end).toMatchObject(failure('out_of_memory', /MiB of memory/, false));
      const { metrics } = end.data as { metrics: { memory_peak_bytes: number; cpu_ms: number } };
      expect(metrics.memory_peak_bytes).toBeGreaterThan(50 * 1024 * 1024);
      expect(metrics.cpu_ms).toBeGreaterThan(0);
    },
  );

  it.each([
    ['throw text', /just text/],
    ['throw nothing', /undefined/],
    ['throw a puzzle', /cannot be described/],
  ])('may %s', async (how, message) => {
    const job = await bench.dispatch('hostile', { how }, over);
    expect(await bench.untilEnd(job)).toMatchObject(failure('tool_error', message, true));
  });

  it('that never returns ends at its timeout and gives its slot back', async () => {
    const { end } = await among('never return', { ...over, timeout_ms: 500 });
    expect(end).toMatchObject(failure('timeout', /500 ms/, true));
  });

  it.each([
    ['exit', /code.* 7/],
    ['throw in a timer', /EvalError: from a tool/],
    ['reject unhandled', /RangeError: nobody looks/],
  ])('that does %s crashes alone', async (how, message) => {
    const { end } = await among(how, over);
    expect(end).toMatchObject(failure('tool_crashed', message, true));
  });

  it('that leaves an error behind harms no later call', async () => {
    const job = await bench.dispatch('hostile', { how: 'leave an error behind' }, over);
    expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1' });
    const { end } = await among('nothing', over);
    expect(end).toMatchObject({ type: 'tool.succeeded.v1' });
  });

  it.each(['flood progress', 'flood awaited progress', 'flood the log'])(
    'that goes to %s is heard thirty times a second, and nobody waits',
    async (how) => {
      const { job, end } = await among(how, over);
      expect(end).toMatchObject({ type: 'tool.succeeded.v1', data: { result: 'flooded' } });
      const reports = (await bench.events(job)).flatMap((event) =>
        event.type === 'tool.progressed.v1' ? [event.data] : [],
      );
      if (how === 'flood the log') return;
      expect(reports.at(-1)?.details).toEqual({ i: 100_000 });
      const seconds = (end.data as { metrics: { duration_ms: number } }).metrics.duration_ms / 1000;
      expect(reports.length).toBeLessThanOrEqual(31 * (Math.floor(seconds) + 1));
    },
  );

  it('may print binary: it becomes text of its own output', async () => {
    const { job, end } = await among('print binary', over);
    expect(end).toMatchObject({ type: 'tool.succeeded.v1', data: { result: 'printed' } });
    expect(await outputs(job, 'stdout')).toBe('printed \uFFFD text\n\uFFFD\uFFFD\uFFFDA\n');
    expect(await outputs(job, 'stderr')).toBe('é');
  });

  it('may print without end: what is too much is dropped and said', async () => {
    const { job, end } = await among('print without end', over);
    expect(end).toMatchObject({ type: 'tool.succeeded.v1' });
    expect(await outputs(job, 'stderr')).toMatch(/\[\d+ printed characters were dropped\]/);
    expect((await outputs(job, 'stdout')).length).toBeLessThan(1024 * 1024);
  });

  it('may output bytes cut anywhere, or that are no text', async () => {
    const job = await bench.dispatch('hostile', { how: 'output binary' }, over);
    await bench.untilEnd(job);
    expect(await outputs(job, 'stdout')).toBe('café \uFFFD\uFFFD(\uFFFD \uFFFD \uFFFD .');
  });

  it('streams artifacts as fast as the store takes them, and renames and deletes files', async () => {
    const size = 40 * 64 * 1024;
    const streamed = await bench.untilEnd(await bench.dispatch('hostile', { how: 'stream an artifact' }, over));
    expect(streamed).toMatchObject({ data: { result: { bytes: size, last: size, grows: true, same: 39 } } });
    const broken = await bench.untilEnd(await bench.dispatch('hostile', { how: 'break a stream' }, over));
    expect(broken).toMatchObject(failure('tool_error', /the source is dry/, true));
    const changed = await bench.untilEnd(await bench.dispatch('hostile', { how: 'change files' }, over));
    expect(changed).toMatchObject({ data: { result: { left: 0 } } });
  });

  it('cannot answer for itself', async () => {
    const job = await bench.dispatch('hostile', { how: 'speak to its parent' }, over);
    expect(await bench.untilEnd(job)).toMatchObject({ data: { result: 'spoken' } });
  });

  it('tells what processor time and memory it used, and no more than it', async () => {
    const computed = await bench.untilEnd(await bench.dispatch('hostile', { how: 'compute' }, over));
    const held = await bench.untilEnd(await bench.dispatch('hostile', { how: 'hold 80 MiB' }, over));
    const nothing = await bench.untilEnd(await bench.dispatch('hostile', { how: 'nothing' }, over));
    const metricsOf = (event: typeof held) =>
      (event.data as { metrics: { cpu_ms: number; memory_peak_bytes: number } }).metrics;
    expect(metricsOf(computed).cpu_ms).toBeGreaterThan(100);
    expect(metricsOf(computed).cpu_ms).toBeLessThan(3000);
    expect(metricsOf(nothing).cpu_ms).toBeLessThan(100);
    expect(metricsOf(held).memory_peak_bytes).toBeGreaterThan(80 * 1024 * 1024);
    expect(metricsOf(nothing).memory_peak_bytes).toBeGreaterThan(1024 * 1024);
  });

  it('may have a memory limit of its own', async () => {
    const enough = await bench.dispatch('confined', { mib: 20 }, over);
    const tooMuch = await bench.dispatch('confined', { mib: 200 }, over);
    expect(await bench.untilEnd(enough)).toMatchObject({ type: 'tool.succeeded.v1' });
    expect(await bench.untilEnd(tooMuch)).toMatchObject(failure('out_of_memory', /160 MiB/, false));
  });
});

describe('a tool in a process', () => {
  const over = { isolation: 'process' } as const;

  it.each(['abort', 'kill itself'])('may %s: nothing else ends', async (how) => {
    const { end } = await among(how, over);
    expect(end).toMatchObject(failure('tool_crashed', /SIG(ABRT|SEGV|TRAP|ILL)/, true));
  });

  it('finds a warm process, which serves one call after the other', async () => {
    const pids = new Set<unknown>();
    for (let i = 0; i < 5; i++) {
      const end = await bench.untilEnd(await bench.dispatch('hostile', { how: 'nothing' }, over));
      pids.add((end.data as { result: { pid: number } }).result.pid);
    }
    expect(pids.size).toBe(1);
    await among('exit', over);
    await sleep(300);
    const end = await bench.untilEnd(await bench.dispatch('hostile', { how: 'nothing' }, over));
    expect((end.data as { result: { pid: number } }).result.pid).not.toBe(process.pid);
  });
});

describe('a tool that says how many of it may run at once', () => {
  it('is not run more often at a time, and others are', async () => {
    const jobs = await Promise.all(
      [1, 2, 3, 4, 5].map(() => bench.dispatch('shy', { ms: 300 }, { isolation: 'inline' })),
    );
    const other = await bench.dispatch('noop', {}, { isolation: 'inline' });
    await bench.untilEnd(other);
    const times = await Promise.all(
      jobs.map(async (job) => (await bench.untilEnd(job)).data as { result: { startedAt: number; endedAt: number } }),
    );
    for (const { result } of times) {
      const at = times.filter(({ result: r }) => r.startedAt <= result.startedAt && result.startedAt < r.endedAt);
      expect(at.length).toBeLessThanOrEqual(2);
    }
    await bench.untilJobsLeft(0);
  });
});

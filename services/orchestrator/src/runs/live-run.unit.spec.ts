import { fold, type Recorded } from '@toolstream/domain';
import { encodeEvent, type StoredEvent } from '@toolstream/event-log';
import {
  eventSubjectAttribute,
  type RunAddress,
  type ToolstreamEvent,
  writerOf,
  writerSubject,
} from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveRun } from './live-run.ts';

const RUN: RunAddress = { tenant: 'acme', app: 'shop', run: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV' };
const TOOLS = 4;

function event(id: number, writer: 'run' | number, type: string, data: unknown, more: object = {}): ToolstreamEvent {
  return {
    specversion: '1.0',
    id: `e${id}`,
    source: 'toolstream/x',
    type,
    time: new Date(1_767_225_600_000 + id).toISOString(),
    subject: eventSubjectAttribute(RUN.run, writer),
    datacontenttype: 'application/json',
    runid: RUN.run,
    tenant: RUN.tenant,
    app: RUN.app,
    data,
    ...more,
  } as ToolstreamEvent;
}

const planned = (index: number) => ({
  index,
  call_id: `c${index}`,
  name: 'write',
  description: '',
  pool: 'default',
  arguments: {},
  depends_on: [],
  timeout_ms: 1_000,
  retries: { max_attempts: 1, initial_ms: 0, factor: 1, max_ms: 0 },
  idempotent: true,
  isolation: 'inline',
  approval_policy: 'never',
  destructive: false,
  estimated_duration_ms: 1,
});

/** A run's log: its own orchestrator's events and the attempts' in an interleaving of chance. */
function history(choices: readonly number[]): Recorded[] {
  let id = 0;
  const plan = {
    ordering: 'parallel',
    priority: 'normal',
    timeout_ms: 1_000_000,
    max_age_ms: 1_000_000,
    request_hash: 'h',
    tools: Array.from({ length: TOOLS }, (_, i) => planned(i)),
  };
  const own = [
    event(id++, 'run', 'run.accepted.v1', plan),
    event(id++, 'run', 'run.started.v1', {}),
    ...Array.from({ length: TOOLS }, (_, i) =>
      event(id++, 'run', 'tool.queued.v1', { dispatch: 1, tool_seq: 0, cause: 'first' }, { toolindex: i }),
    ),
  ];
  const attempt = (i: number) => [
    event(id++, i, 'tool.started.v1', { dispatch: 1, executor: 'x', queue_ms: 0 }, { toolindex: i, attempt: 1 }),
    event(id++, i, 'tool.progressed.v1', { stage: 's' }, { toolindex: i, attempt: 1 }),
    event(id++, i, 'tool.succeeded.v1', { result: i, metrics: {} }, { toolindex: i, attempt: 1 }),
  ];
  const waiting = Array.from({ length: TOOLS }, (_, i) => attempt(i));
  const log: ToolstreamEvent[] = [];
  for (const choice of choices) {
    const queued = log.filter(({ type }) => type === 'tool.queued.v1').map(({ toolindex }) => toolindex ?? 0);
    const lists = [own, ...queued.map((i) => waiting[i] ?? [])].filter((list) => list.length > 0);
    const next = lists[choice % Math.max(1, lists.length)]?.shift();
    if (next) log.push(next);
  }
  return log.map((e, i) => ({ event: e, seq: 10 + 3 * i }));
}

const stored = ({ event: e, seq }: Recorded): StoredEvent => ({
  seq,
  subject: writerSubject(RUN, writerOf(e)),
  type: e.type,
  id: e.id,
  data: encodeEvent(e),
  text: () => JSON.stringify(e),
  event: () => JSON.parse(JSON.stringify(e)) as ToolstreamEvent,
  address: () => ({ ...RUN, partition: 0, writer: writerOf(e) }),
});

const isOwn = ({ event: e }: Recorded): boolean => writerOf(e) === 'run';
const volatile = ({ event: e }: Recorded): boolean => e.type === 'tool.progressed.v1';
/** Without what the reactor drops, and without the positions that only those move. */
const comparable = (state: object | undefined) =>
  JSON.parse(
    JSON.stringify(state ?? null, (key, value) => (key === 'progress' || key === 'output' ? undefined : value)),
  ) as unknown;

describe('a run in memory', () => {
  const choices = fc.array(fc.nat(7), { minLength: 1, maxLength: 40 });

  it('is the fold of the log, however far deliveries lag behind the own appends', () => {
    fc.assert(
      fc.property(choices, fc.array(fc.nat(3), { maxLength: 60 }), (order, lags) => {
        const log = history(order).filter((recorded) => !volatile(recorded));
        const run = new LiveRun(RUN.run);
        let delivered = 0;
        log.forEach((recorded, i) => {
          if (isOwn(recorded)) run.appended(recorded, () => []);
          for (let n = lags[i] ?? 0; n > 0 && delivered <= i; n--, delivered++) run.delivered(stored(log[delivered]!));
          // What this process has seen: everything delivered, and its own events.
          const known = log.filter((r, at) => at <= i && (at < delivered || isOwn(r)));
          expect(comparable(run.view)).toEqual(comparable(fold(known)));
          expect(comparable(run.base)).toEqual(comparable(fold(log.slice(0, delivered))));
        });
        for (; delivered < log.length; delivered++) run.delivered(stored(log[delivered]!));
        expect(run.view).toBe(run.base);
        expect(comparable(run.base)).toEqual(comparable(fold(log)));
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it('is the same after a read in between, and after deliveries that repeat', () => {
    fc.assert(
      fc.property(choices, fc.nat(40), fc.nat(40), (order, readTo, from) => {
        const log = history(order);
        const run = new LiveRun(RUN.run);
        for (const recorded of log) if (isOwn(recorded)) run.appended(recorded, () => []);
        const read = Math.min(readTo, log.length);
        run.read(log.slice(0, read).map(stored), { anew: false });
        // Deliveries go on anywhere before the end of the read: some repeat what it brought.
        for (const recorded of log.slice(Math.min(from, read)))
          if (!volatile(recorded)) run.delivered(stored(recorded));
        const states = (state: typeof run.view) => state?.tools.map(({ status, attempt }) => `${status}${attempt}`);
        expect(states(run.view)).toEqual(states(fold(log)));
      }),
      { seed: 12, numRuns: 300 },
    );
  });

  it('knows after a read where each tool’s subject ends, progress included', () => {
    const log = history([0, 0, 0, 1, 1]);
    const run = new LiveRun(RUN.run);
    run.read(log.map(stored), { anew: false });
    expect(log.at(-1)?.event.type).toBe('tool.progressed.v1');
    expect(run.base?.tools[0]?.tool_seq).toBe(log.at(-1)?.seq);
  });

  it('gives its own events back undecoded, with the effects that were begun', () => {
    const [accepted] = history([0]);
    const run = new LiveRun(RUN.run);
    const effect = { type: 'signal', tenant: 'acme', run: RUN.run } as const;
    run.appended(accepted!, () => [effect]);
    const arrived = run.delivered({
      ...stored(accepted!),
      event: () => {
        throw new Error('decoded');
      },
    });
    expect(arrived).toEqual({ event: accepted?.event, begun: [effect] });
  });
});

import { fold } from '@toolstream/domain';
import type { RunState, ToolstreamEvent } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldBatch, runsToLoad } from '../src/fold/fold-batch.ts';
import { type FoldableEvent, newEvents } from '../src/fold/foldable.ts';
import { changedTools, toolRow } from '../src/fold/rows.ts';
import { interleaved, plannedTool, planOf, RunHistory, randomOf, T0 } from './histories.ts';

const SEED = 7_411;

const foldable = (event: ToolstreamEvent, seq: number): FoldableEvent => ({
  seq,
  run: event.runid,
  type: event.type,
  event: () => event,
});

function logOf(seed: number, runs: number, tools: number): FoldableEvent[] {
  const random = randomOf(seed);
  const histories = Array.from({ length: runs }, () => {
    const shapes = Array.from({ length: tools }, (_, i) =>
      plannedTool(i, random() < 0.3 ? { approval_policy: 'always' } : { idempotent: random() < 0.5 }),
    );
    return new RunHistory(random, planOf(shapes)).play(150);
  });
  return interleaved(random, histories).map((event, i) => foldable(event, i + 1));
}

function* cut<T>(list: readonly T[], sizes: readonly number[]): Generator<T[]> {
  for (let at = 0, i = 0; at < list.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield list.slice(at, at + size);
    at += size;
  }
}

const byRun = (events: readonly FoldableEvent[]): Map<string, RunState | undefined> => {
  const runs = Map.groupBy(events, ({ run }) => run);
  return new Map(
    [...runs].map(([run, list]) => [run, fold(list.map((e) => ({ event: e.event(), seq: e.seq })))] as const),
  );
};

describe('folding a log in batches', () => {
  it('gives what folding it whole gives, whatever the cuts, and notes every tool that changed', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), (seed, cuts) => {
        const log = logOf(seed, 3, 4);
        const known = new Map<string, RunState>();
        for (const batch of cut(log, cuts)) {
          const needed = runsToLoad(batch);
          const { changed, unreadable } = foldBatch(batch, new Map([...known].filter(([run]) => needed.has(run))));
          expect(unreadable).toEqual([]);
          for (const change of changed) {
            const before = known.get(change.after.run_id);
            if (change.before) expect(change.before).toBe(before);
            for (const [index, tool] of change.after.tools.entries()) {
              const same = JSON.stringify(before?.tools[index]) === JSON.stringify(tool);
              if (!same) expect(changedTools(change)).toContain(tool);
            }
            known.set(change.after.run_id, change.after);
          }
        }
        expect(known).toEqual(byRun(log));
      }),
      { numRuns: 60, seed: SEED },
    );
  });

  it('takes each event once, in order, whatever is delivered again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 })), fc.nat(20), (seqs, after) => {
        const taken = newEvents(
          seqs.map((seq) => ({ seq })),
          after,
        ).map(({ seq }) => seq);
        expect(taken).toEqual([...new Set(taken)].sort((a, b) => a - b));
        expect(Math.max(after, ...seqs)).toBe(Math.max(after, ...taken));
        expect(taken.every((seq) => seq > after)).toBe(true);
      }),
      { seed: SEED },
    );
  });

  it('passes over what cannot be decoded and folds the rest', () => {
    const log = new RunHistory(randomOf(1), planOf([plannedTool(0)]))
      .succeed()
      .events.map((e, i) => foldable(e, i + 1));
    const broken = { ...log[2]!, event: () => JSON.parse('{') as ToolstreamEvent };
    const timeless = { ...log[3]!, event: () => ({ ...log[3]!.event(), time: 'soon' }) };
    const { changed, unreadable } = foldBatch(log.with(2, broken).with(3, timeless), new Map());
    expect(unreadable.map(({ seq }) => seq)).toEqual([3, 4]);
    expect(changed[0]?.after.seq).toBe(log.length);
  });

  it('begins a run anew at run.accepted: its first life was purged', () => {
    const first = new RunHistory(randomOf(1), planOf([plannedTool(0), plannedTool(1)]));
    const second = new RunHistory(randomOf(2), planOf([plannedTool(0)]), { run_id: first.run_id });
    const batch = [foldable(second.events[0]!, 50)];
    const { changed } = foldBatch(batch, new Map([[first.run_id, first.state]]));
    expect(changed).toMatchObject([{ before: undefined, after: { accepted_seq: 50, tools: [{ index: 0 }] } }]);
  });
});

describe('a tool row', () => {
  it('holds what the attempt measured, else what the events show, and nothing for a call that never ran', () => {
    const history = new RunHistory(randomOf(3), planOf([plannedTool(0), plannedTool(1, { name: 'bad\0name\ud800' })]));
    history.at(T0 + 1_000).advance();
    history.at(T0 + 1_250).start(0);
    history.at(T0 + 3_250).of(0, 'tool.succeeded.v1', { result: 1, metrics: {} });
    const [ran, waits] = history.state.tools.map((tool) => toolRow(history.state, tool));
    expect(ran).toMatchObject({ duration_ms: 2_000, queue_ms: 250, status: 'succeeded' });
    expect(waits).toMatchObject({ duration_ms: undefined, queue_ms: undefined, name: 'bad\uFFFDname\uFFFD' });
  });
});

import { jetstreamManager } from '@nats-io/jetstream';
import { runSubjects } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Projection, Row } from '../src/adapters/projection.ts';
import { runReader } from '../src/adapters/run-reader.ts';
import { HandRun } from './hand-run.ts';
import { startTestLog, type TestLog } from './harness.ts';

let store: TestLog;

beforeAll(async () => {
  store = await startTestLog();
});

afterAll(() => store.stop());

/** A projection whose answers are made by `row`, one call after the other. */
const projectionOf = (row: () => Promise<Row>): Projection => ({ run: row }) as Partial<Projection> as Projection;

async function purge(run: HandRun, seq: number): Promise<void> {
  const { streams } = await jetstreamManager(store.nc);
  const filter = runSubjects({ tenant: run.tenant, app: run.app, run: run.run });
  await streams.purge('EVENTS_0', { filter, seq });
}

describe('A reader of runs', () => {
  it('reads once more when a purge runs in between the row and the log', async () => {
    const run = await HandRun.accept(store.log);
    await run.start();
    await run.startTool(0);
    const early = await run.state();
    for (const progress of [10, 20, 30]) await run.progress(0, progress);
    await run.succeedTool(0);
    await run.succeed();
    const whole = await run.state();
    const position = { epoch: store.log.epoch(0), partition: 0 };
    let asked = 0;
    const reader = runReader(
      store.log,
      projectionOf(async () => {
        const state = asked++ === 0 ? early : whole;
        if (asked === 1) await purge(run, whole.seq);
        return { state, position: { ...position, seq: state.seq } };
      }),
    );
    expect(await reader.read({ tenant: run.tenant, app: run.app, run: run.run })).toEqual(whole);
    expect(asked).toBe(2);
  });

  it('says that it cannot when what was purged is in no row', async () => {
    const run = await HandRun.accept(store.log);
    await run.start();
    await run.startTool(0);
    const early = await run.state();
    await run.progress(0, 50);
    const last = await run.progress(0, 60);
    await purge(run, last);
    const position = { epoch: store.log.epoch(0), partition: 0, seq: early.seq };
    const reader = runReader(
      store.log,
      projectionOf(async () => ({ state: early, position })),
    );
    const address = { tenant: run.tenant, app: run.app, run: run.run };
    await expect(reader.read(address)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

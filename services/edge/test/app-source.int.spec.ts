import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Projection } from '../src/adapters/projection.ts';
import { runReader } from '../src/adapters/run-reader.ts';
import { appSource } from '../src/feeds/sources.ts';
import { HandRun } from './hand-run.ts';
import { startTestLog, type TestLog, uniqueName } from './harness.ts';

let store: TestLog;

beforeAll(async () => {
  store = await startTestLog();
});

afterAll(() => store.stop());

describe("An app's state", () => {
  it('stands at the end of a run that ended while it was read, and that it leaves out', async () => {
    const app = uniqueName('app');
    const run = await HandRun.accept(store.log, { app });
    await run.start();
    await run.startTool(0);
    let end = 0;
    const projection = {
      run: async () => undefined,
      positions: async () => {
        await run.succeedTool(0);
        end = await run.succeed();
        return [{ partition: 0, epoch: store.log.epoch(0), seq: end }];
      },
      runs: async () => ({ runs: [] }),
    } satisfies Partial<Projection> as Partial<Projection> as Projection;
    const reader = runReader(store.log, projection);
    const source = appSource(store.log, projection, reader, { kind: 'app', tenant: run.tenant, app });
    expect(await source.load()).toEqual({ state: { runs: [], more: false }, positions: [end] });
  });
});

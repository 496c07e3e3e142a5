import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from '../hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from '../harness.ts';
import { type Message, shown } from './page-model.ts';
import { RawCable } from './raw-cable.ts';

let log: TestLog;
let t: TestEdge;
beforeAll(async () => {
  log = await startTestLog();
  // Held back after 50 ms without a receipt, a snapshot after 500 ms, sent away after 1.5 s.
  t = await startTestEdge(log.nats, { TOOLSTREAM_CABLE_PING_MS: '200', TOOLSTREAM_SLOW_CLIENT_MS: '1500' });
});
afterAll(async () => {
  await t?.stop();
  await log?.stop();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const messages = (cable: RawCable) => cable.data().map(({ message }) => message as Message);
const ended = (cable: RawCable) => messages(cable).some(({ action }) => action === 'tool_execution_complete');

describe.each(['actioncable-v1-json', 'actioncable-v1-ext-json'])('A client of %s that stops reading', (protocol) => {
  async function watching(run: HandRun): Promise<RawCable> {
    const cable = await RawCable.open(`${t.url.replace('http', 'ws')}/cable?jid=${token()}`, [protocol]);
    await cable.next('welcome');
    cable.send({
      command: 'subscribe',
      identifier: JSON.stringify({ channel: 'ToolExecutionChannel', run_id: run.run }),
    });
    await until(() => cable.data().length >= 2);
    return cable;
  }

  it('is brought up to date by the difference, with every call told once', async () => {
    const run = await HandRun.accept(log.log, { tools: 3 });
    const cable = await watching(run);
    await run.start();
    await run.startTool(0);
    await until(() => cable.data().length >= 3);
    await pause(300);
    cable.ws.pause();
    for (const index of [0, 1, 2]) {
      if (index > 0) await run.startTool(index);
      for (let step = 1; step <= 8; step++) {
        await run.progress(index, step * 10);
        await pause(30);
      }
      if (index < 2) await run.succeedTool(index);
    }
    cable.ws.resume();
    await until(() => messages(cable).some(({ tool_index, progress }) => tool_index === 2 && progress === 80));
    await run.succeedTool(2);
    await run.succeed();
    await until(() => ended(cable));
    expect(shown(messages(cable))).toMatchObject({ lists: 1, completed: 3, total: 3 });
    expect(shown(messages(cable)).tools.map(({ width }) => width)).toEqual(['100%', '100%', '100%']);
    expect(messages(cable).filter(({ stage }) => stage === 'working').length).toBeLessThan(24);
    const offsets = cable.data().flatMap(({ offset }) => (offset === undefined ? [] : [Number(offset)]));
    expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
    expect(offsets.length > 0).toBe(protocol.includes('ext'));
    cable.ws.close();
  });

  it('is sent away in the end, to come back', async () => {
    const run = await HandRun.accept(log.log);
    const cable = await watching(run);
    await run.start();
    await pause(300);
    cable.ws.pause();
    await run.startTool(0);
    const reason = protocol.includes('ext') ? 'too_slow' : 'remote';
    await pause(2_500);
    cable.ws.resume();
    expect((await cable.ended()).goodbye).toEqual({ type: 'disconnect', reason, reconnect: true });
  });
});

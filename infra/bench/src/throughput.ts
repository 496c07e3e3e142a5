import { startPostgres } from '@toolstream/testkit';
import { type Cleanup, withCleanup } from './cleanup.ts';
import type { Watched } from './cpu.ts';
import { cpuText, watchCpu } from './cpu.ts';
import type { BenchOptions } from './options.ts';
import { measured, type Report } from './report.ts';
import { type RunsWish, Submitter, toolModule } from './runs.ts';
import { benchNats, temporaryFolder } from './servers.ts';
import { benchStack } from './stack.ts';

const TARGET = { sense: 'at_least', value: 1_000 } as const;

interface Setting {
  readonly executors: number;
  readonly slots: number;
}

interface Round {
  readonly perSecond: number;
  readonly cpu: string;
}

/**
 * Tool calls a second, from the request that hands them over to the row in Postgres that says that their run has ended:
 * parallel runs of 50 calls of an inline tool that does nothing. Some settings are tried, the best is measured.
 */
export function throughput({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const nats = await benchNats(cleanup);
    const dataDir = await temporaryFolder(cleanup);
    const postgres = cleanup.add(await startPostgres({ dataDir }), (server) => server.stop());
    const servers = {
      urls: { natsUrl: nats.url, databaseUrl: postgres.url },
      processes: [
        { name: 'nats', pid: nats.pid! },
        { name: 'postgres', pid: postgres.pid! },
      ],
    };
    const measure = (setting: Setting, rounds: number, seconds: number) =>
      measureSetting(servers, setting, rounds, seconds);

    const settings = quick ? [{ executors: 1, slots: 32 }] : SETTINGS;
    const tried: { setting: Setting; perSecond: number }[] = [];
    for (const setting of settings) {
      const [round] = await measure(setting, 1, quick ? 2 : 3);
      tried.push({ setting, perSecond: round!.perSecond });
      say(`${textOf(setting)}: ${Math.round(round!.perSecond)} calls a second`);
    }
    const { setting: best } = tried.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
    const rounds = await measure(best, quick ? 3 : 5, quick ? 2 : 4);
    const middle = [...rounds].sort((a, b) => a.perSecond - b.perSecond)[Math.floor(rounds.length / 2)]!;
    return {
      rows: [
        measured(
          { benchmark: 'throughput', name: `tool calls, ${textOf(best)}`, unit: '/s' },
          rounds.map(({ perSecond }) => perSecond),
          TARGET,
        ),
      ],
      notes: [
        `tried: ${tried.map(({ setting, perSecond }) => `${textOf(setting)} → ${Math.round(perSecond)}/s`).join('; ')}`,
        `processor time per 1,000 calls: ${middle.cpu}`,
      ],
    };
  });
}

const SETTINGS: readonly Setting[] = [1, 2].flatMap((executors) => [16, 32, 64].map((slots) => ({ executors, slots })));

const textOf = ({ executors, slots }: Setting): string => `EXECUTORS=${executors} SLOTS=${slots}`;

interface Servers {
  readonly urls: { readonly natsUrl: string; readonly databaseUrl: string };
  readonly processes: readonly Watched[];
}

async function measureSetting(
  servers: Servers,
  { executors, slots }: Setting,
  rounds: number,
  seconds: number,
): Promise<Round[]> {
  return withCleanup(async (cleanup: Cleanup) => {
    const env = { SLOTS: String(slots), TOOLSTREAM_TOOLS: toolModule('noop') };
    const stack = await benchStack(cleanup, { ...servers.urls, executors, env });
    const submitter = new Submitter(cleanup, stack);
    const wish = (time: number): RunsWish => ({ tool: 'bench-noop', seconds: time, unended: 40 });
    await submitter.submitAndWait(wish(1.5));
    const results: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      const stopwatch = watchCpu([
        ...servers.processes,
        ...stack.processes(),
        { name: 'load', pid: process.pid, alone: true },
      ]);
      const { calls, seconds: took } = await submitter.submitAndWait(wish(seconds));
      const usage = stopwatch().map(({ name, seconds: used }) => ({ name, seconds: (used * 1_000) / calls }));
      results.push({ perSecond: calls / took, cpu: cpuText(usage, (took * 1_000) / calls) });
    }
    return results;
  });
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '@toolstream/testkit';
import { appends } from './appends.ts';
import { browser } from './browser.ts';
import { cancel } from './cancel.ts';
import { stopEverything } from './cleanup.ts';
import { drain } from './drain.ts';
import { fanOut } from './fan-out.ts';
import { idle } from './idle.ts';
import { jobs } from './jobs.ts';
import { latency } from './latency.ts';
import { type Machine, machineFacts } from './machine.ts';
import type { BenchOptions } from './options.ts';
import type { Report, Row } from './report.ts';
import { scaling } from './scaling.ts';
import { slowClient } from './slow-client.ts';
import { soak } from './soak.ts';
import { storm } from './storm.ts';
import { tableOf } from './table.ts';
import { throughput } from './throughput.ts';

const BENCHMARKS: Record<string, (options: BenchOptions) => Promise<Report>> = {
  latency,
  appends,
  'fan-out': fanOut,
  storm,
  'slow-client': slowClient,
  idle,
  drain,
  throughput,
  jobs,
  scaling,
  cancel,
  browser,
  soak,
};
/** Run only where they are named. */
const LONG: ReadonlySet<string> = new Set(['soak']);

const USAGE = `npm run bench -- [--only=${Object.keys(BENCHMARKS).join('|')}] [--quick]
  --only   one benchmark, or several with commas between
  --quick  fewer and shorter rounds: for a look, not for a verdict`;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopEverything().then(() => process.exit(130)));
}
process.exitCode = await main();

/** 0: everything was measured, whatever the verdicts. 1: something could not run. 2: wrong usage. */
async function main(): Promise<number> {
  const wanted = wantedFrom(process.argv.slice(2));
  if (!wanted) {
    console.error(USAGE);
    return 2;
  }
  const machine = await machineFacts();
  console.error(`${machine.cores} cores (${machine.cpu}), Node ${machine.node}, nats-server ${machine.nats}`);
  const startedAt = new Date();
  const rows: Row[] = [];
  const notes: string[] = [];
  const failures: { benchmark: string; error: string }[] = [];
  for (const name of wanted.names) {
    console.error(`\n${name} …`);
    try {
      const report = await BENCHMARKS[name]!({ quick: wanted.quick, say: (line) => console.error(`  ${line}`) });
      rows.push(...report.rows);
      notes.push(...report.notes.map((note) => `${name}: ${note}`));
    } catch (error) {
      failures.push({ benchmark: name, error: firstLine(error) });
      console.error(error);
    }
  }
  const file = write(startedAt, { machine, quick: wanted.quick, rows, notes, failures });
  console.log(`\n${tableOf(rows)}\n`);
  for (const note of notes) console.log(note);
  for (const { benchmark, error } of failures) console.log(`${benchmark} could not run: ${error}`);
  console.log(`${summary(rows)} Details: ${file}`);
  return failures.length > 0 ? 1 : 0;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}

function wantedFrom(args: string[]): { names: string[]; quick: boolean } | undefined {
  try {
    const { values } = parseArgs({ args, options: { only: { type: 'string' }, quick: { type: 'boolean' } } });
    const names = values.only?.split(',') ?? Object.keys(BENCHMARKS).filter((name) => !LONG.has(name));
    return names.every((name) => Object.hasOwn(BENCHMARKS, name)) ? { names, quick: values.quick ?? false } : undefined;
  } catch {
    return undefined;
  }
}

interface Results {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
  readonly failures: readonly { benchmark: string; error: string }[];
}

function write(startedAt: Date, results: Results): string {
  const folder = join(projectRoot() ?? process.cwd(), 'bench-results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${startedAt.toISOString().replaceAll(':', '-')}.json`);
  const took_s = Math.round((Date.now() - startedAt.getTime()) / 1_000);
  writeFileSync(file, `${JSON.stringify({ started_at: startedAt.toISOString(), took_s, ...results }, null, 2)}\n`);
  return file;
}

function summary(rows: readonly Row[]): string {
  const count = (verdict: Row['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  const text = `${count('pass')} passed, ${count('missed')} missed, ${count('inconclusive')} inconclusive`;
  return count('skipped') > 0 ? `${text}, ${count('skipped')} skipped.` : `${text}.`;
}

import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, giveTo } from './postgres-account.ts';
import { cacheFolder } from './project-paths.ts';
import { runQuietly } from './run-quietly.ts';

export interface ClusterPlan {
  /** Holds the data folder and, while it is made, its draft. */
  folder: string;
  pgdata: string;
  /** Where the binaries are. */
  home: string;
  /** Names the build that makes the data. */
  version: string;
  account: Account;
  /** None: everyone on this machine is let in, and nothing is synced to disk. */
  password: string | undefined;
}

/** Makes the data folder on the first start. It appears complete or not at all, so a crash in the middle costs nothing. */
export async function ensureCluster(plan: ClusterPlan): Promise<void> {
  if (existsSync(join(plan.pgdata, 'PG_VERSION'))) return assertSameMajor(plan);
  const draft = join(plan.folder, `pgdata.draft-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  rmSync(plan.pgdata, { recursive: true, force: true });
  try {
    if (plan.password) await initdb(plan, draft);
    else await copyTemplate(plan, draft);
    renameSync(draft, plan.pgdata);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Clusters without a password are all alike, and a copy is several times cheaper than making one. */
async function copyTemplate(plan: ClusterPlan, target: string): Promise<void> {
  const cache = cacheFolder('postgres-template');
  const template = join(cache, `${plan.version}-${plan.account.uid ?? process.getuid?.() ?? 'self'}`);
  const copy = (from: string, to: string) => runQuietly('cp', ['-a', from, to], { timeoutMs: 60_000 });
  if (existsSync(template)) return void (await copy(template, target));
  await initdb(plan, target);
  const draft = `${template}.${randomUUID()}`;
  try {
    mkdirSync(cache, { recursive: true });
    await copy(target, draft);
    renameSync(draft, template);
  } catch {
    // Another process was first, or the cache is read-only: the next one makes its own.
    rmSync(draft, { recursive: true, force: true });
  }
}

async function initdb({ folder, home, account, password }: ClusterPlan, target: string): Promise<void> {
  const passwordFile = join(folder, `password.draft-${process.pid}`);
  mkdirSync(target, { mode: 0o700 });
  giveTo(target, account);
  try {
    if (password) {
      writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
      giveTo(passwordFile, account);
    }
    await runQuietly(
      join(home, 'bin', 'initdb'),
      [
        '--username=postgres',
        ...(password ? ['--auth=scram-sha-256', `--pwfile=${passwordFile}`] : ['--auth=trust', '--no-sync']),
        // The built-in provider needs no locale of the operating system, which may have none.
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
        ...(password ? [] : ['--wal-segsize=1']),
        `--pgdata=${target}`,
      ],
      { ...account, cwd: folder, env: postgresEnvironment(), timeoutMs: 120_000 },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function assertSameMajor({ pgdata, home }: ClusterPlan): Promise<void> {
  const data = readFileSync(join(pgdata, 'PG_VERSION'), 'utf8').trim();
  const program = await runQuietly(join(home, 'bin', 'postgres'), ['--version'], { timeoutMs: 10_000 });
  const major = /\) (\d+)/.exec(program)?.[1];
  if (major === data) return;
  throw new Error(
    `postgres_data_version: ${pgdata} was written by Postgres ${data}, this one is ${major}. ` +
      'Everything in it is rebuilt from the event log: delete the folder and start again.',
  );
}

/** Postgres reads the locale and its own PG* variables from the environment; neither of the caller's may leak in. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !/^(PG|LC_|LANG)/.test(key));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** Survives restarts, so that addresses handed out stay good. */
export function keptPassword(folder: string): string {
  const file = join(folder, 'password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, giveTo } from './postgres-account.ts';
import { endProcess, processesWorkingIn, processFacts } from './processes.ts';
import { runQuietly } from './run-quietly.ts';

/** Makes the data folder on the first start. It appears complete or not at all, so a crash in the middle costs nothing. */
export async function ensureCluster(
  folder: string,
  pgdata: string,
  home: string,
  account: Account,
  options: { password?: string; durable: boolean },
): Promise<void> {
  if (existsSync(join(pgdata, 'PG_VERSION'))) return assertSameMajor(pgdata, home);
  const draft = join(folder, `pgdata.draft-${process.pid}`);
  const passwordFile = join(folder, `pgdata.pw-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  rmSync(pgdata, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  giveTo(draft, account);
  try {
    if (options.password) {
      writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
      giveTo(passwordFile, account);
    }
    await runQuietly(
      join(home, 'bin', 'initdb'),
      [
        `--pgdata=${draft}`,
        '--username=postgres',
        ...(options.password ? ['--auth=scram-sha-256', `--pwfile=${passwordFile}`] : ['--auth=trust']),
        // The built-in provider needs no locale of the operating system, which may have none.
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
        ...(options.durable ? [] : ['--no-sync', '--wal-segsize=1']),
      ],
      { ...account, cwd: folder, env: postgresEnvironment(), timeoutMs: 120_000 },
    );
    renameSync(draft, pgdata);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(draft, { recursive: true, force: true });
  }
}

async function assertSameMajor(pgdata: string, home: string): Promise<void> {
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

/**
 * After a crash Postgres may refuse to start: its pid file names a pid that now belongs to somebody else, or backends of the
 * dead postmaster still hold its shared memory. Every process of a cluster works in its data folder, which tells ours from others.
 */
export async function clearCrashRemains(pgdata: string): Promise<void> {
  const pidFile = join(pgdata, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  await Promise.all(processesWorkingIn(pgdata).map((pid) => endProcess(pid, [], 0)));
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  const holder = processFacts(pid);
  if (holder && isPostmasterOf(holder.command, pgdata)) {
    throw new Error(`data_in_use: ${pgdata} is served by process ${pid}; stop it or choose another data folder.`);
  }
  rmSync(pidFile, { force: true });
}

export function isPostmasterOf(command: string, pgdata: string): boolean {
  return `${command} `.includes(`postgres -D ${pgdata} `);
}

/** The postmaster's own word, in the line that pg_ctl reads too. */
export function postmasterIsReady(pgdata: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(join(pgdata, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

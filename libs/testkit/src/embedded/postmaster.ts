import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess, processesWorkingIn, processFacts } from './processes.ts';

/**
 * After a crash Postgres may refuse to start: its pid file names a pid that now belongs to somebody else, or backends of the
 * dead postmaster still hold its shared memory. Backends work in the data folder, which tells this cluster's from all others.
 */
export async function clearCrashRemains(pgdata: string): Promise<void> {
  const pidFile = join(pgdata, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  const holder = processFacts(pid);
  if (holder && isPostmasterOf(holder.command, pgdata)) {
    throw new Error(`data_in_use: ${pgdata} is served by process ${pid}; stop it or choose another data folder.`);
  }
  const backends = processesWorkingIn(pgdata).filter((one) => processFacts(one)?.command.startsWith('postgres: '));
  await Promise.all(backends.map((one) => endProcess(one, [], 0)));
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

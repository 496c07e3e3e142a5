import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the system knows about one process. Linux answers from /proc, others from `ps`. */
export interface ProcessFacts {
  pid: number;
  parent: number;
  command: string;
  /** Changes when a pid is reused, so (pid, started) names one process for good. */
  started: string;
}

export function processFacts(pid: number): ProcessFacts | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses itself: the fields start after the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(fields[1]), command, started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function fromPs(pid: number): ProcessFacts | undefined {
  try {
    const ps = (column: string) =>
      execFileSync('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
    return { pid, parent: Number(ps('ppid')), command: ps('command'), started: ps('lstart') };
  } catch {
    return undefined;
  }
}

/** Processes whose working directory is exactly this folder; empty where the system does not tell. */
export function processesWorkingIn(folder: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return pid !== process.pid && readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        return false;
      }
    });
}

/** Sends a signal; a process that is already gone is not an error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Resolves true as soon as the process is gone, false when it is still there after `timeoutMs`. */
export async function goneWithin(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (processFacts(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** Signals in order until the process is gone, SIGKILL last. For processes that are not our children. */
export async function endProcess(pid: number, polite: NodeJS.Signals[], graceMs: number): Promise<void> {
  for (const name of polite) {
    signal(pid, name);
    if (await goneWithin(pid, graceMs)) return;
  }
  signal(pid, 'SIGKILL');
  await goneWithin(pid, 5_000);
}

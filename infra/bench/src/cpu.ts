import { readdirSync, readFileSync } from 'node:fs';

/** What `/proc` counts in; every Linux that Node runs on has it at 100. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of the process, and that of the children it has waited for. */
  readonly own: number;
  readonly reaped: number;
}

/** Reads `/proc/<pid>/stat`. The name in it may hold anything, so the fields are counted from its last parenthesis. */
export function parseStat(text: string): Stat | undefined {
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  if (end < 0 || fields.length < 15) return undefined;
  const seconds = (index: number) => Number(fields[index]) / TICKS_PER_SECOND;
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(fields[1]),
    own: seconds(11) + seconds(12),
    reaped: seconds(13) + seconds(14),
  };
}

function statOf(pid: number | string): Stat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

export class NoProcessTimes extends Error {
  readonly code = 'no_process_times';

  constructor(pid: number) {
    super(`no_process_times: /proc/${pid}/stat cannot be read: CPU figures need Linux and a process that still runs.`);
    this.name = 'NoProcessTimes';
  }
}

/** Nanoseconds of all threads that live, where the kernel counts them; `stat` counts in hundredths of a second. */
function scheduledSeconds(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.map((id) =>
      Number.parseInt(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'latin1'), 10),
    );
    const sum = nanoseconds.reduce((total, each) => total + each, 0);
    return sum > 0 ? sum / 1e9 : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds of processor time that a process has used, user and system, all of its threads. */
export function cpuSeconds(pid: number): number {
  const scheduled = scheduledSeconds(pid);
  if (scheduled !== undefined) return scheduled;
  const stat = statOf(pid);
  if (!stat) throw new NoProcessTimes(pid);
  return stat.own;
}

/** As {@link cpuSeconds}, with all descendants, also those that have ended: Postgres works in children. */
export function cpuSecondsOfTree(root: number): number {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(name) ?? []);
  if (!stats.some(({ pid }) => pid === root)) throw new NoProcessTimes(root);
  const members = new Set([root]);
  for (let before = 0; before !== members.size; ) {
    before = members.size;
    for (const { pid, parent } of stats) if (members.has(parent)) members.add(pid);
  }
  return stats.filter(({ pid }) => members.has(pid)).reduce((sum, { own, reaped }) => sum + own + reaped, 0);
}

export interface Watched {
  readonly name: string;
  readonly pid: number;
  /** Without its descendants, which are watched themselves. */
  readonly alone?: boolean;
}

const secondsOf = ({ pid, alone }: Watched): number => (alone ? cpuSeconds(pid) : cpuSecondsOfTree(pid));

/** Processor time per process between now and the call of the returned function. */
export function watchCpu(processes: readonly Watched[]): () => { name: string; seconds: number }[] {
  const before = processes.map(secondsOf);
  return () => processes.map((one, index) => ({ name: one.name, seconds: secondsOf(one) - before[index]! }));
}

/** `edge-1 0.42 s (21%)` of so many seconds, biggest first. */
export function cpuText(usage: readonly { name: string; seconds: number }[], wallSeconds: number): string {
  return [...usage]
    .sort((a, b) => b.seconds - a.seconds)
    .map(({ name, seconds }) => `${name} ${seconds.toFixed(2)} s (${Math.round((100 * seconds) / wallSeconds)}%)`)
    .join(', ');
}

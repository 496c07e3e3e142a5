import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { natsServerBinary, projectRoot } from '@toolstream/testkit';

/** Where the figures were taken: they mean nothing without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly system: string;
  readonly node: string;
  readonly nats: string;
  readonly commit: string | null;
  /** Work of others while this was measured: average of the minute before. */
  readonly load_before: number;
}

export async function machineFacts(): Promise<Machine> {
  const found = cpus();
  return {
    cpu: found[0]?.model.trim() || modelName() || 'unknown',
    cores: found.length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    nats: (await natsServerBinary()).version,
    commit: commit(),
    load_before: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

function modelName(): string | undefined {
  try {
    return /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** Null outside of a repository. */
function commit(): string | null {
  try {
    const cwd = projectRoot() ?? process.cwd();
    const arguments_ = ['rev-parse', '--short', 'HEAD'];
    return execFileSync('git', arguments_, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

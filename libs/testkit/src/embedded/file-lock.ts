import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { processFacts } from './processes.ts';

export interface LockHolder {
  pid: number;
  started: string;
}

export interface FileLock {
  release(): void;
}

/**
 * Takes a lock that is a file naming its holder, or returns the live holder. The file appears with its content (link), and a
 * dead holder's file is moved away by exactly one contender (rename), so two processes never both believe they hold it.
 */
export function tryLock(path: string): FileLock | LockHolder {
  const mine: LockHolder = { pid: process.pid, started: processFacts(process.pid)?.started ?? '' };
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    for (;;) {
      try {
        linkSync(draft, path);
        return { release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readHolder(path);
      if (holder && processFacts(holder.pid)?.started === holder.started) return holder;
      moveAway(path, holder);
    }
  } finally {
    unlinkSync(draft);
  }
}

export function isLock(taken: FileLock | LockHolder): taken is FileLock {
  return 'release' in taken;
}

/** Waits its turn. A holder that dies frees the lock at once. */
export async function withLock<T>(path: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const taken = tryLock(path);
    if (isLock(taken)) {
      try {
        return await work();
      } finally {
        taken.release();
      }
    }
    if (performance.now() > deadline) {
      throw new Error(
        `lock_timeout: process ${taken.pid} has held ${path} for ${timeoutMs} ms; end it or delete the file.`,
      );
    }
    await sleep(100);
  }
}

function readHolder(path: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockHolder;
  } catch {
    return undefined;
  }
}

function moveAway(path: string, dead: LockHolder | undefined): void {
  const aside = `${path}.dead.${process.pid}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = readHolder(aside);
  const tookALiveOne = moved && (moved.pid !== dead?.pid || moved.started !== dead.started);
  if (tookALiveOne) {
    try {
      linkSync(aside, path);
    } catch {
      // A third contender took the place in between; its lock stands.
    }
  }
  unlinkSync(aside);
}

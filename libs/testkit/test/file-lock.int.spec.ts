import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isLock, tryLock, withLock } from '../src/embedded/file-lock.ts';
import { scratchFolder } from './helpers.ts';

describe('a lock file', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let path: string;

  beforeEach(() => {
    folder = scratchFolder();
    path = join(folder.path, 'lock');
  });

  afterEach(() => folder.remove());

  test('has one holder at a time and tells the others who it is', () => {
    const first = tryLock(path);
    expect(isLock(first)).toBe(true);
    expect(tryLock(path)).toMatchObject({ pid: process.pid });
    if (isLock(first)) first.release();
    expect(isLock(tryLock(path))).toBe(true);
  });

  test('is free when its holder died, also when the pid is in use again', () => {
    const { pid } = spawnSync('true');
    writeFileSync(path, JSON.stringify({ pid, started: '1' }));
    const afterDeath = tryLock(path);
    expect(isLock(afterDeath)).toBe(true);
    writeFileSync(path, JSON.stringify({ pid: process.pid, started: 'another life' }));
    expect(isLock(tryLock(path))).toBe(true);
  });

  test('leaves no drafts behind', () => {
    writeFileSync(path, 'cut sho');
    tryLock(path);
    tryLock(path);
    expect(readdirSync(folder.path)).toEqual(['lock']);
  });

  test('lets those who wait for it work one after the other', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock(path, 10_000, work)));
    expect(most).toBe(1);
  });
});

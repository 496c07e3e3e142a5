import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findChromium, ProgramNotFound } from '../src/index.ts';

describe('The search for a browser', () => {
  it('finds one that runs', { timeout: 900_000 }, async () => {
    const binary = await findChromium();
    expect(binary.version).toMatch(/^\d+\./);
    expect(await findChromium()).toMatchObject({ path: binary.path, version: binary.version });
  });

  it('takes what the user names as final', async () => {
    const error = await findChromium({ env: { CHROMIUM_BIN: '/nowhere/chromium' } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProgramNotFound);
    expect((error as ProgramNotFound).tried).toHaveLength(1);
    expect((error as ProgramNotFound).message).toContain('/nowhere/chromium');
  });

  it('does not take a program of that name that is no browser', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'toolstream-chromium-'));
    try {
      const error = await findChromium({ env: { CHROMIUM_BIN: '/bin/true' }, cache }).catch(
        (thrown: unknown) => thrown,
      );
      expect((error as Error).message).toContain('names no version');
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  });
});

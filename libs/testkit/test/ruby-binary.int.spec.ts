import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRuby, ProgramNotFound } from '../src/index.ts';

describe('The search for Ruby', () => {
  it('finds one that runs, with its standard library', { timeout: 600_000 }, async () => {
    const binary = await findRuby();
    expect(binary.version).toMatch(/^\d+\./);
    expect(await findRuby()).toMatchObject({ path: binary.path, version: binary.version });
    const script =
      'require "net/http"; require "json"; require "openssl"; require "securerandom"; puts JSON.generate(OpenSSL::VERSION)';
    expect(execFileSync(binary.path, ['-e', script], { encoding: 'utf8' })).toMatch(/^"\d+\./);
  });

  it('takes what the user names as final', async () => {
    const error = await findRuby({ env: { RUBY_BIN: '/nowhere/ruby' } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProgramNotFound);
    expect((error as ProgramNotFound).tried).toHaveLength(1);
    expect((error as ProgramNotFound).message).toContain('/nowhere/ruby');
  });

  it('does not take one that is too old', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'toolstream-ruby-'));
    try {
      const old = join(folder, 'ruby');
      writeFileSync(old, '#!/bin/sh\necho "ruby 2.7.4p191 (2021-07-07 revision a21a3b7d23) [x86_64-linux-gnu]"\n');
      chmodSync(old, 0o755);
      await expect(findRuby({ env: { RUBY_BIN: old } })).rejects.toThrow(/is 2\.7\.4; 3\.1 or newer is needed/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('does not take a program of that name that is no Ruby', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'toolstream-ruby-'));
    try {
      const error = await findRuby({ env: { RUBY_BIN: '/bin/true' }, cache }).catch((thrown: unknown) => thrown);
      expect((error as Error).message).toContain('names no version');
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  });
});

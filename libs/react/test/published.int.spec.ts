import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

// Compilers and packers, on machines that have other things to do.
vi.setConfig({ testTimeout: 180_000 });

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../../..');
const BIN = join(ROOT, 'node_modules/.bin');
const PACKAGES = { 'proto-events': 'proto-events', domain: 'libs/domain', client: 'libs/client', react: 'libs/react' };
type Name = keyof typeof PACKAGES;
const NAMES = Object.keys(PACKAGES) as Name[];

/** A project that has these packages as somebody who installed them would: packed, and nothing of the workspace beside them. */
const project = mkdtempSync(join(tmpdir(), 'toolstream-published-'));
const tarballs = {} as Record<Name, string>;
const installed = (name: Name) => join(project, 'node_modules/@toolstream', name);

beforeAll(async () => {
  await run(join(BIN, 'tsc'), ['-b', 'libs/react'], { cwd: ROOT });
  for (const name of NAMES) {
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', project], {
      cwd: join(ROOT, PACKAGES[name]),
    });
    tarballs[name] = join(project, stdout.trim().split('\n').at(-1)!);
    mkdirSync(installed(name), { recursive: true });
    await run('tar', ['-xzf', tarballs[name], '--strip-components=1', '-C', installed(name)]);
  }
  mkdirSync(join(project, 'node_modules/@types'));
  for (const other of [
    'zod',
    'react',
    'react-dom',
    'csstype',
    '@types/react',
    '@types/react-dom',
    '@types/node',
    'undici-types',
  ]) {
    symlinkSync(join(ROOT, 'node_modules', other), join(project, 'node_modules', other));
  }
}, 300_000);
afterAll(() => rmSync(project, { recursive: true }));

describe.each(NAMES)('@toolstream/%s, packed', (name) => {
  it('has nothing that publint would say', async () => {
    const pkg = JSON.parse(readFileSync(join(installed(name), 'package.json'), 'utf8'));
    const { messages } = await publint({ pkgDir: installed(name), strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('has types that are right for everybody who can import modules', async () => {
    const attw = [tarballs[name], '--profile', 'esm-only', '--no-emoji'];
    const { code, stdout } = await run(join(BIN, 'attw'), attw, { cwd: project }).then(
      (done) => ({ code: 0, ...done }),
      (error: { code: number; stdout: string }) => error,
    );
    expect(code, stdout).toBe(0);
    expect(stdout).toContain('OK (ESM)');
  });

  it('holds no test', async () => {
    const { stdout } = await run('tar', ['-tzf', tarballs[name]]);
    expect(stdout.split('\n').filter((file) => /spec|tsbuildinfo|\/test\//.test(file))).toEqual([]);
  });
});

describe('installed', () => {
  it('every entry can be imported by a server, also the element’s', async () => {
    const script = `
      const entries = ['client', 'react', 'react/store', 'react/element'];
      const names = await Promise.all(entries.map(async (entry) => Object.keys(await import('@toolstream/' + entry))));
      process.stdout.write(JSON.stringify(names.map((found) => found.length > 0)));
    `;
    writeFileSync(join(project, 'import.mjs'), script);
    const { stdout } = await run(process.execPath, ['import.mjs'], { cwd: project });
    expect(JSON.parse(stdout)).toEqual([true, true, true, true]);
  });

  it('the examples of the README compile against it', async () => {
    const readme = readFileSync(join(ROOT, 'libs/react/README.md'), 'utf8');
    const examples = [...readme.matchAll(/```(tsx?)\n([\s\S]*?)```/g)];
    expect(examples.length).toBeGreaterThanOrEqual(4);
    for (const [index, [, kind, code]] of examples.entries()) {
      writeFileSync(join(project, `example-${index}.${kind}`), code!);
    }
    const compilerOptions = {
      target: 'ES2024',
      module: 'NodeNext',
      strict: true,
      noEmit: true,
      jsx: 'react-jsx',
      lib: ['ES2024', 'DOM'],
      types: [],
    };
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['example-*'] }));
    const { stdout } = await run(join(BIN, 'tsc'), ['-p', project]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });

  it('the element becomes one script with the command of the README', async () => {
    const readme = readFileSync(join(ROOT, 'libs/react/README.md'), 'utf8');
    const [, options] = /npx esbuild (.*)/.exec(readme)!;
    await run(join(BIN, 'esbuild'), options!.split(' '), { cwd: project });
    const script = readFileSync(join(project, 'toolstream-run.js'), 'utf8');
    expect(script).toContain('toolstream-run');
    expect(script).not.toMatch(/^(import|export)\b/m);
  });
});

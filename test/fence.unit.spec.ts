import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
const folder = mkdtempSync(join(tmpdir(), 'fence-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Names of the rules that a tree with these files breaks. */
function brokenRules(files: Record<string, string>): string[] {
  const tree = mkdtempSync(join(folder, 'tree-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
  copyFileSync(join(root, '.dependency-cruiser.cjs'), join(tree, '.dependency-cruiser.cjs'));
  const ours = Object.keys(files).filter((path) => path.includes('/') && !path.startsWith('node_modules/'));
  const folders = [...new Set(ours.map((path) => path.split('/')[0]!))];
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders];
  const { stdout } = spawnSync(bin('depcruise'), args, { cwd: tree, encoding: 'utf8' });
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string } }[] } };
  return [...new Set(summary.violations.map((violation) => violation.rule.name))].sort();
}

describe('The import fence', () => {
  it('lets the direction of the architecture through', () => {
    expect(
      brokenRules({
        'proto-events/src/index.ts': 'export const a = 1;',
        'libs/domain/src/index.ts': "export { a } from '../../../proto-events/src/index.ts';",
        'services/edge/src/main.ts': "import { a } from '../../../libs/domain/src/index.ts'; console.log(a);",
      }),
    ).toEqual([]);
  });
  it('stops the core from reaching out, the contract from knowing the core, services from knowing each other', () => {
    expect(
      brokenRules({
        'proto-events/src/index.ts': "export { b } from '../../libs/domain/src/index.ts';",
        'libs/domain/src/index.ts': "import { readFileSync } from 'node:fs'; export const b = readFileSync;",
        'libs/domain/src/log.ts': "export { c } from '../../event-log/src/index.ts';",
        'libs/event-log/src/index.ts': 'export const c = 1;',
        'services/edge/src/main.ts': "export { d } from '../../projection/src/index.ts';",
        'services/projection/src/index.ts': 'export const d = 1;',
      }),
    ).toEqual(['contract-is-the-root', 'core-has-no-io', 'core-is-pure', 'edge']);
  });
  it('stops cycles and side doors', () => {
    expect(
      brokenRules({
        'libs/domain/src/a.ts': "import { b } from './b.ts'; export const a = () => b;",
        'libs/domain/src/b.ts': "import { a } from './a.ts'; export const b = () => a;",
        'services/edge/src/main.ts': "export { a } from '../../../libs/domain/src/a.ts';",
      }),
    ).toEqual(['no-cycles', 'one-door']);
  });
  it('stops the product from resting on what only shows or measures it', () => {
    expect(
      brokenRules({
        'libs/client/src/index.ts': "export { a } from '../../../examples/agent/src/index.ts';",
        'services/edge/src/main.ts': "export { b } from '../../../test/support/stack.ts';",
        'infra/bench/src/main.ts': "export { c } from '../../../services/executor/src/index.ts';",
        'examples/agent/src/index.ts': 'export const a = 1;',
        'test/support/stack.ts': 'export const b = 1;',
        'services/executor/src/index.ts': 'export const c = 1;',
      }),
    ).toEqual(['bench', 'client', 'edge']);
  });
  it.each(['services/edge/src', 'test/support'])(
    'stops %s from using a package that nobody declares for it',
    (place) => {
      const files = {
        [`${place}/main.ts`]: "export { x } from 'some-package';",
        'node_modules/some-package/package.json': '{"name":"some-package","exports":"./dist/index.js"}',
        'node_modules/some-package/dist/index.js': 'exports.x = 1;',
        'services/edge/package.json': '{"name":"edge"}',
      };
      const declared = (name: string) => `{"name":"${name}","dependencies":{"some-package":"1"}}`;
      expect(brokenRules({ ...files, 'package.json': '{"name":"root"}' })).toEqual(['declared-dependencies-only']);
      expect(
        brokenRules({ ...files, 'package.json': declared('root'), 'services/edge/package.json': declared('edge') }),
      ).toEqual([]);
    },
  );
  it('does not take what the root declares for a package’s own', () => {
    expect(
      brokenRules({
        'package.json': '{"name":"root","devDependencies":{"some-package":"1"}}',
        'services/edge/package.json': '{"name":"edge"}',
        'services/edge/src/main.ts': "export { x } from 'some-package';",
        'node_modules/some-package/package.json': '{"name":"some-package","exports":"./dist/index.js"}',
        'node_modules/some-package/dist/index.js': 'exports.x = 1;',
      }),
    ).toEqual(['declared-dependencies-only']);
  });
});

describe('The core’s lint rules', () => {
  it.each([
    ['noNodejsModules', "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;\n"],
    ['noRestrictedImports', "import { connect } from '@nats-io/transport-node';\nexport const x = connect;\n"],
    ['noRestrictedGlobals', 'export const x = (): number => Date.now();\n'],
    ['noExplicitAny', 'export const x = (value: any): unknown => value;\n'],
  ])('%s refuses a planted breach', (rule, input) => {
    const tree = mkdtempSync(join(folder, 'lint-'));
    const { vcs: _, $schema: __, ...config } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    writeFileSync(join(tree, 'biome.json'), JSON.stringify(config));
    mkdirSync(join(tree, 'libs/domain/src'), { recursive: true });
    writeFileSync(join(tree, 'libs/domain/src/planted.ts'), input);
    const { stdout, stderr, status } = spawnSync(bin('biome'), ['lint', '--colors=off', '.'], {
      cwd: tree,
      encoding: 'utf8',
    });
    expect(`${stdout}${stderr}`).toContain(rule);
    expect(status).not.toBe(0);
  });
});

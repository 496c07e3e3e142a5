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
  const folders = [...new Set(Object.keys(files).map((path) => path.split('/')[0]!))];
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

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Everything that a change has to pass. A step that fails does not keep the next from running: one run shows all there is to
 * mend. The last line is `N passed, N failed`, where a check without tests of its own that fails counts as one failure.
 */
const CHECKS = { lint: 'lint', fence: 'fence', types: 'typecheck' } as const;
const TESTS = { unit: 'test:unit', int: 'test:int', e2e: 'test:e2e' } as const;
const STEPS = [...Object.keys(CHECKS), ...Object.keys(TESTS)];

const root = join(import.meta.dirname, '..');
const results = join(root, '.cache', 'test-results');

interface Tally {
  passed: number;
  failed: number;
}

/** The part of Vitest's JSON report that counts. */
interface Report {
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

async function main(asked: string[]): Promise<number> {
  const unknown = asked.find((step) => !STEPS.includes(step));
  if (unknown !== undefined) {
    process.stderr.write(`There is no step ${unknown}: choose from ${STEPS.join(', ')}.\n`);
    return 2;
  }
  mkdirSync(results, { recursive: true });
  const total: Tally = { passed: 0, failed: 0 };
  const broken: string[] = [];
  for (const step of asked.length === 0 ? STEPS : asked) {
    process.stdout.write(`\n── ${step}\n`);
    const begun = performance.now();
    const tally = step in CHECKS ? await check(step as keyof typeof CHECKS) : await tests(step as keyof typeof TESTS);
    total.passed += tally.passed;
    total.failed += tally.failed;
    if (tally.failed > 0) broken.push(step);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(`── ${step}: ${tally.failed === 0 ? 'passed' : `${tally.failed} failed`} in ${seconds} s\n`);
  }
  if (broken.length > 0) process.stdout.write(`\nFailed: ${broken.join(', ')}\n`);
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 ? 0 : 1;
}

async function check(name: keyof typeof CHECKS): Promise<Tally> {
  return { passed: 0, failed: (await npmRun(CHECKS[name])) === 0 ? 0 : 1 };
}

async function tests(name: keyof typeof TESTS): Promise<Tally> {
  const file = join(results, `${name}.json`);
  rmSync(file, { force: true });
  const code = await npmRun(TESTS[name], ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
  const tally = tallyOf(file);
  // Vitest found something that no test stands for: an error outside of tests, or that there are none.
  if (code !== 0 && tally.failed === 0) tally.failed = 1;
  return tally;
}

function tallyOf(file: string): Tally {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return { passed: 0, failed: 1 };
  }
  const count = (status: string): number =>
    report.testResults.reduce(
      (sum, { assertionResults }) => sum + assertionResults.filter((t) => t.status === status).length,
      0,
    );
  const neverRan = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  return { passed: count('passed'), failed: count('failed') + neverRan.length };
}

function npmRun(script: string, args: string[] = []): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['run', '--silent', script, ...(args.length > 0 ? ['--', ...args] : [])], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      // Interrupted: the tests have stopped what they started, and no step after this one is wanted.
      if (signal !== null || code === 130) process.exit(130);
      resolve(code ?? 1);
    });
  });
}

// A terminal's Ctrl-C reaches the child as well; it ends first.
process.on('SIGINT', () => {});
process.exitCode = await main(process.argv.slice(2));

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@toolstream/testkit';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBrowser } from '../../../test/support/browser.ts';
import { until } from '../../../test/support/stack.ts';
import { faultsOf } from './support/faults.ts';

const root = join(import.meta.dirname, '../../..');
let folder: string;
let demo: ChildProcess;
let browser: Browser;
let printed = '';

/** What `make demo` does, after what it installs and builds. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'toolstream-demo-'));
  const port = await freePort();
  browser = await startBrowser();
  demo = spawn(
    process.execPath,
    ['--conditions=toolstream', '--import', 'tsx', join(root, 'libs/cli/src/main.ts'), 'demo'],
    { cwd: root, env: { ...process.env, TOOLSTREAM_DATA_DIR: folder, PORT: String(port), FORCE_COLOR: '0' } },
  );
  for (const stream of [demo.stdout, demo.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
}, 900_000);

afterAll(async () => {
  await browser?.close();
  if (demo && demo.exitCode === null && demo.signalCode === null) {
    const ended = once(demo, 'exit');
    demo.kill('SIGINT');
    await ended;
  }
  if (folder) rmSync(folder, { recursive: true, force: true });
});

it('From `make demo` to a run in the browser there is no step that the terminal did not print', async () => {
  const address = await until('the address of the run', 240_000, () => {
    if (demo.exitCode !== null) throw new Error(printed);
    return /Watch it in the browser: (\S+)/.exec(printed)?.[1];
  });
  const faults: string[] = [];
  const page = await browser.newPage();
  faultsOf(page, (fault) => faults.push(fault));
  await page.goto(address);
  await page.getByText('README.md').first().waitFor({ timeout: 60_000 });
  await page.getByText('Succeeded').first().waitFor({ timeout: 120_000 });
  const console = await until(
    'the address of the console',
    10_000,
    () => /console +(\S+\/#token=\S+)/.exec(printed)?.[1],
  );
  const list = await (await browser.newContext()).newPage();
  faultsOf(list, (fault) => faults.push(fault));
  await list.goto(console);
  await list.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
  await list.getByText(new URL(address).pathname.split('/').at(-1)!).waitFor();
  expect(faults).toEqual([]);
});

import type { RunState } from '@toolstream/proto-events';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, MOBILE, type System, startSystem } from './support/index.ts';

let system: System;
let app: string;
let apps = 0;
beforeAll(async () => {
  system = await startSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const write = (id: string, file_path: string, content: string) => ({
  id,
  name: 'os-write',
  arguments: { file_path, content },
});
const CODE = ['import { useState } from "react";', '// A counter', 'export const start = 0;', ''].join('\n');

/** An app of its own for every test, and its page. */
async function open(search = '', options: Parameters<System['open']>[1] = {}): Promise<Page> {
  const page = await system.open(`/apps/${app}${search}`, options);
  await page.getByRole('heading', { level: 1, name: app }).waitFor();
  return page;
}
const freshApp = (): string => {
  app = `app-${++apps}`;
  return app;
};
const finished = (calls: Parameters<System['finished']>[0]): Promise<RunState> => system.finished(calls, { app });
/** A deletion waits for an approval: it is given. */
async function approved(run: string, index: number): Promise<RunState> {
  const watch = system.client.watch(run);
  watch.on('state', ({ tools }) => {
    if (tools[index]?.status === 'awaiting_approval')
      system.client.command(run, 'approve_tool', { index }, { id: `approve-${run}` }).catch(() => {});
  });
  return watch.done;
}
const fileRow = (page: Page, name: string) => page.getByRole('treegrid', { name: 'Files' }).getByRole('row', { name });

describe('the live tools of an app', () => {
  it('appear when they run, say how far they are, and go when they end', async () => {
    freshApp();
    const page = await open();
    await page.getByText('No tool is running').waitFor();
    const run = await system.submit(
      [
        { id: 'a', name: 'talk', arguments: { lines: 2_000, ms: 50 } },
        { id: 'b', name: 'guarded', arguments: { what: 'x' } },
      ],
      { app, mode: 'parallel' },
    );
    const calls = page.getByTestId('live-call');
    const talking = calls.filter({ hasText: 'talk' });
    await talking.getByText('Running').waitFor();
    await calls.filter({ hasText: 'Needs approval' }).getByText('guarded').waitFor();
    await expect.poll(() => talking.getByRole('progressbar').getAttribute('aria-valuenow')).toMatch(/^[\d.]+$/);
    await page.getByText('1 tool running in 1 live run.').waitFor();
    await page
      .getByRole('row', { name: new RegExp(run) })
      .getByText('Running')
      .waitFor();
    await expectAccessible(page);

    await system.client.control(run, 'cancel', { reason: 'enough' });
    await page.getByText('No tool is running').waitFor();
    await page
      .getByRole('row', { name: new RegExp(run) })
      .getByText('Cancelled')
      .waitFor();
    await page.getByText('0 tools running in 0 live runs.').waitFor();
  });

  it('lead to their runs', async () => {
    freshApp();
    const page = await open();
    const run = await system.submit([{ id: 'a', name: 'talk', arguments: { lines: 2_000, ms: 50 } }], { app });
    await page.getByTestId('live-call').getByRole('link', { name: /talk/ }).click();
    await page.waitForURL(`**/runs/${run}`);
    await system.client.control(run, 'cancel', {});
  });
});

describe('the files of an app', () => {
  it('are shown as they are written, without a reload', async () => {
    freshApp();
    const page = await open();
    await page.getByText('No files yet').waitFor();
    await finished([write('a', 'src/first.ts', CODE)]);
    await fileRow(page, 'first.ts').waitFor();
    await finished([write('a', 'src/second.ts', CODE)]);
    await fileRow(page, 'second.ts').waitFor();
    await page.getByText('2 files', { exact: false }).first().waitFor();
  });

  it('are shown as what they are: text, picture, or a download', async () => {
    freshApp();
    const html = '<script>document.title = "taken over"</script>\n';
    const run = await finished([
      write('a', 'src/code.ts', CODE),
      write('b', 'page.html', html),
      write('c', 'data.bin', 'a\u0000b'),
      { id: 'd', name: 'generate_image', arguments: { prompt: 'a cat', size: '256x256', file_path: 'cat.png' } },
    ]);
    expect(run.status).toBe('succeeded');
    const page = await open();

    await fileRow(page, 'code.ts').click();
    const code = page.getByRole('region', { name: 'Content of src/code.ts' });
    await code.getByText('// A counter').waitFor();
    await expect.poll(() => code.locator('[class*="hl-keyword"]').count()).toBeGreaterThan(0);
    await page.getByText(`by call 1 of run ${run.run_id}`).waitFor();
    expect(page.url()).toContain('file=');
    await expectAccessible(page);

    await fileRow(page, 'page.html').click();
    await page.getByRole('region', { name: 'Content of page.html' }).getByText('document.title').first().waitFor();
    expect(await page.title()).toBe(`${app} · Toolstream`);

    await fileRow(page, 'cat.png').click();
    await page.getByText('256 × 256 pixels').waitFor();

    await fileRow(page, 'data.bin').click();
    await page.getByText('Binary file').waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).first().click();
    expect((await download).suggestedFilename()).toBe('data.bin');
  });

  it('are found by the address, by a search, and by the keyboard alone', async () => {
    freshApp();
    await finished([write('a', 'src/deep/one.ts', CODE), write('b', 'docs/two.md', '# Two\n')]);
    const page = await open('?file=docs%2Ftwo.md');
    await page.getByRole('region', { name: 'Content of docs/two.md' }).waitFor();

    await page.getByLabel('Find a file').fill('deep one');
    await expect.poll(() => fileRow(page, 'two.md').count()).toBe(0);
    await page.getByLabel('Find a file').focus();
    await page.keyboard.press('Tab');
    for (const key of ['Home', 'ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
    await page.getByRole('region', { name: 'Content of src/deep/one.ts' }).waitFor();
    expect(new URL(page.url()).searchParams.get('file')).toBe('src/deep/one.ts');
    await page.reload();
    await page.getByRole('region', { name: 'Content of src/deep/one.ts' }).waitFor();
  });

  it('tell their history, each change with what it changed', async () => {
    freshApp();
    const first = await finished([write('a', 'src/code.ts', CODE)]);
    const second = await finished([write('a', 'src/code.ts', CODE.replace('= 0', '= 5'))]);
    const page = await open('?file=src%2Fcode.ts');
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByRole('button', { name: /Changed/ }).click();
    const changes = page.getByRole('region', { name: 'Changes of src/code.ts' });
    expect(await changes.locator('[data-kind=removed]').textContent()).toContain('export const start = 0;');
    expect(await changes.locator('[data-kind=added]').textContent()).toContain('export const start = 5;');
    await page.getByText('1 line added, 1 line removed').waitFor();
    await page.getByRole('link', { name: second.run_id }).last().waitFor();
    await page.getByRole('button', { name: /Created/ }).click();
    await page.getByRole('link', { name: first.run_id }).last().waitFor();
    await expectAccessible(page);
  });
});

describe('what a run changed', () => {
  it('is listed at the run: created, changed, renamed and deleted, with the difference', async () => {
    freshApp();
    await finished([write('a', 'code.ts', CODE), write('b', 'old.md', 'old\n'), write('c', 'gone.md', 'gone\n')]);
    const run = await system.submit(
      [
        write('a', 'code.ts', `${CODE}export const more = 1;\n`),
        write('b', 'new.ts', CODE),
        {
          id: 'c',
          name: 'os-rename',
          arguments: { original_file_path: 'old.md', new_file_path: 'docs/kept.md' },
        },
        { id: 'd', name: 'os-delete', arguments: { file_path: 'gone.md' } },
      ],
      { app },
    );
    expect((await approved(run, 3)).status).toBe('succeeded');
    const page = await system.open(`/runs/${run}?tab=files`);
    for (const [change, path] of [
      ['Changed', 'code.ts'],
      ['Created', 'new.ts'],
      ['Renamed', 'old.md → docs/kept.md'],
      ['Deleted', 'gone.md'],
    ]) {
      await page.getByRole('button', { name: `${change} ${path}` }).waitFor();
    }
    await page.getByRole('button', { name: /^Changed code.ts/ }).click();
    const changes = page.getByRole('region', { name: 'Changes of code.ts' });
    await changes.waitFor();
    expect(await changes.locator('[data-kind=added]').allTextContents()).toEqual([
      expect.stringContaining('export const more = 1;'),
    ]);
    expect(await changes.locator('[data-kind=removed]').count()).toBe(0);
    await page.getByText('Changed by call 1, os-write').waitFor();
    await page.getByRole('button', { name: /^Deleted/ }).click();
    await page.getByText('The file was deleted, and its contents with it.').waitFor();
    await expectAccessible(page);

    await page.getByRole('link', { name: 'The file as it is now' }).click();
    await page.waitForURL(`**/apps/${app}?file=code.ts`);
    await page.getByRole('region', { name: 'Content of code.ts' }).getByText('more').waitFor();
  });

  it('grows while the run goes on', async () => {
    freshApp();
    const run = await system.submit(
      [
        write('a', 'first.ts', CODE),
        { id: 'b', name: 'guarded', arguments: { what: 'x' } },
        write('c', 'last.ts', CODE),
      ],
      { app },
    );
    const page = await system.open(`/runs/${run}?tab=files`);
    await page.getByRole('button', { name: 'Created first.ts' }).waitFor();
    expect(await page.getByRole('button', { name: 'Created last.ts' }).count()).toBe(0);
    await approved(run, 1);
    await page.getByRole('button', { name: 'Created last.ts' }).waitFor();
  });
});

describe('an app that the token does not allow', () => {
  it('is refused, and the page says so', async () => {
    freshApp();
    const page = await open('', { token: { apps: ['another'] } });
    await page
      .getByText(/does not allow the app/)
      .first()
      .waitFor();
    await page.getByText('Your token lacks the scope or the app for this.', { exact: false }).first().waitFor();
  });
});

describe('on a telephone', () => {
  it('everything of an app is there, and nothing sideways', async () => {
    freshApp();
    await finished([write('a', 'a/rather/deep/folder/with-a-long-name-of-a-file.ts', CODE.repeat(40))]);
    const page = await open('?file=a%2Frather%2Fdeep%2Ffolder%2Fwith-a-long-name-of-a-file.ts', { viewport: MOBILE });
    await page.getByRole('region', { name: /^Content of/ }).waitFor();
    await expectAccessible(page);
  });
});

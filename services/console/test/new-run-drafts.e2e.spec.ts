import type { RunState } from '@toolstream/proto-events';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { addCall, openNewRun, startedOn } from './new-run/page.ts';
import { expectAccessible, type OpenOptions, type System, startSystem } from './support/index.ts';

let system: System;
let apps = 0;
beforeAll(async () => {
  system = await startSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const freshApp = (): string => `draft-${++apps}`;
const open = (path: string, options?: OpenOptions): Promise<Page> => openNewRun(system, path, options);
const started = (page: Page): Promise<RunState> => startedOn(system, page);

const args = { file_path: 'src/pasted.ts', content: 'export {};\n' };
const RESPONSES: readonly (readonly [format: string, response: unknown])[] = [
  [
    'OpenAI chat',
    {
      choices: [
        {
          message: {
            role: 'assistant',
            tool_calls: [
              { id: 'call_1', type: 'function', function: { name: 'os-write', arguments: JSON.stringify(args) } },
            ],
          },
        },
      ],
    },
  ],
  [
    'OpenAI Responses',
    {
      output: [
        { type: 'message', content: [] },
        { type: 'function_call', call_id: 'call_1', name: 'os-write', arguments: JSON.stringify(args) },
      ],
    },
  ],
  [
    'Anthropic',
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I write it.' },
        { type: 'tool_use', id: 'call_1', name: 'os-write', input: args },
      ],
    },
  ],
  ['Toolstream', { tool_calls: [{ id: 'call_1', name: 'os-write', arguments: args }] }],
];

describe('a response that is pasted', () => {
  it.each(RESPONSES)('in the format of %s becomes a run', async (format, response) => {
    const app = freshApp();
    const page = await open(`/new?app=${app}`);
    await page.getByRole('textbox', { name: 'Response' }).fill(JSON.stringify(response, null, 2));
    await page.getByRole('button', { name: 'Take the calls' }).click();
    await page.getByText(`1 call taken from a response in the format of ${format}.`).first().waitFor();
    expect(await page.getByTestId('call').getByLabel('file_path').inputValue()).toBe(args.file_path);
    const run = await started(page);
    expect(run).toMatchObject({ app, status: 'succeeded', tools: [{ call_id: 'call_1', arguments: args }] });
    await page.getByRole('heading', { level: 1, name: /Run/ }).waitFor();
  });

  it('may hold as many calls as a run can', async () => {
    const app = freshApp();
    const page = await open(`/new?app=${app}`);
    const calls = Array.from({ length: 256 }, (_, at) => ({
      type: 'tool_use',
      id: `call_${at}`,
      name: 'steps',
      input: { steps: 1, ms: 0 },
    }));
    await page.getByRole('textbox', { name: 'Response' }).fill(JSON.stringify({ content: calls }));
    await page.getByRole('button', { name: 'Take the calls' }).click();
    const last = page.getByTestId('call').nth(255);
    await last.getByRole('button', { name: 'Open call 256' }).click();
    await last.getByLabel('steps (needed)').fill('2');
    await page.getByRole('button', { name: /Order/ }).click();
    await page.getByRole('option', { name: 'All at once' }).click();
    const run = await started(page);
    expect(run).toMatchObject({ status: 'succeeded', ordering: 'parallel' });
    expect(run.tools).toHaveLength(256);
    expect(run.tools[255]?.arguments).toEqual({ steps: 2, ms: 0 });
  });

  it('that is wrong says what is wrong, and where', async () => {
    const page = await open('/new');
    const paste = async (text: string) => {
      await page.getByRole('textbox', { name: 'Response' }).fill(text);
      await page.getByRole('button', { name: 'Take the calls' }).click();
    };
    await paste('{\n  "tool_calls": [,]\n}');
    await page.getByText('Line 2, column 18: Unexpected ",".').waitFor();
    await paste('{"content": [{"type": "text", "text": "No."}]}');
    await page.getByText('asks for no tool').waitFor();
    await paste('[{"id": "a", "name": "x"}, {"id": "b"}]');
    await page.getByText('Call 1 of the answer has the shape of no known tool call.').waitFor();
    expect(await page.getByTestId('call').count()).toBe(0);
    await expectAccessible(page);
  });
});

describe('a draft', () => {
  it('is still there after a reload, and gone once it is a run', async () => {
    const app = freshApp();
    const page = await open(`/new?app=${app}`);
    const call = await addCall(page, 'os-write');
    await call.getByLabel('file_path').fill('kept.md');
    await page.reload();
    expect(await page.getByTestId('call').getByLabel('file_path').inputValue()).toBe('kept.md');
    expect(await page.getByRole('combobox', { name: 'App' }).inputValue()).toBe(app);
    await started(page);
    await page.goto(`${system.url}/new`);
    await page.getByText('No calls yet').waitFor();
  });

  it('whose answer is lost on the way is one run', async () => {
    const app = freshApp();
    const page = await open(`/new?app=${app}`);
    const call = await addCall(page, 'os-write');
    await call.getByLabel('file_path').fill('once.md');
    let lost = 0;
    await page.route('**/v1/runs', async (route) => {
      if (route.request().method() !== 'POST' || lost++ > 0) return route.fallback();
      await route.fetch();
      await route.abort('connectionreset');
    });
    const run = await started(page);
    expect(lost).toBeGreaterThan(1);
    const { runs } = await system.client.list({ app });
    expect(runs.map(({ run_id }) => run_id)).toEqual([run.run_id]);
  });

  it('that is written while a run’s calls are on their way is set aside as it is then', async () => {
    const before = await system.finished([{ id: 'a', name: 'noop', arguments: {} }], { app: freshApp() });
    const page = await open('/new?app=other');
    const arrival = Promise.withResolvers<void>();
    await page.route(`**/v1/runs/${before.run_id}*`, async (route) => {
      await arrival.promise;
      await route.fallback();
    });
    await page.goto(`${system.url}/new?from=${before.run_id}`);
    await page.getByText(`Taking over the calls of ${before.run_id}`).waitFor();
    await addCall(page, 'talk');
    arrival.resolve();
    await page.getByRole('button', { name: 'Bring it back' }).click();
    await expect.poll(() => page.getByTestId('call').getByRole('heading').allTextContents()).toEqual(['1. talk']);
    expect(await page.getByRole('combobox', { name: 'App' }).inputValue()).toBe('other');
  });

  it('may begin with the calls of a run, the large ones whole, and be changed', async () => {
    const app = freshApp();
    const large = `${'// a long line of it\n'.repeat(3_000)}`;
    const before = await system.finished(
      [
        { id: 'big', name: 'os-write', arguments: { file_path: 'big.ts', content: large } },
        { id: 'small', name: 'os-write', arguments: { file_path: 'small.md', content: 'x' }, depends_on: ['big'] },
      ],
      { app, message_id: 'm-1' },
    );
    const page = await open('/new?app=other');
    await addCall(page, 'talk');
    await page.goto(`${system.url}/runs/${before.run_id}`);
    await page.getByRole('button', { name: 'Change and run' }).click();
    await page.getByText('The draft that was here is set aside.').waitFor();
    expect(new URL(page.url()).search).toBe('');
    const [big, small] = [page.getByTestId('call').nth(0), page.getByTestId('call').nth(1)];
    expect(await big.getByLabel('content').inputValue()).toBe(large);
    await small.getByLabel('file_path').fill('changed.md');
    const run = await started(page);
    expect(run).toMatchObject({ app, message_id: 'm-1', ordering: 'graph', status: 'succeeded' });
    expect(run.tools[1]).toMatchObject({ depends_on: [0], arguments: { file_path: 'changed.md', content: 'x' } });
    expect(run.run_id).not.toBe(before.run_id);
  });
});

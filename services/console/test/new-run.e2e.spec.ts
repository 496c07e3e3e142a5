import type { RunState } from '@toolstream/proto-events';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, MOBILE, type System, startSystem } from './support/index.ts';

let system: System;
let apps = 0;
beforeAll(async () => {
  system = await startSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

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

const freshApp = (): string => `new-${++apps}`;

async function open(path: string, options: Parameters<System['open']>[1] = {}): Promise<Page> {
  const page = await system.open(path, options);
  await page.getByRole('heading', { level: 1, name: 'New run' }).waitFor();
  return page;
}

/** Writes into a field with suggestions, and closes them. */
async function suggest(field: Locator, text: string): Promise<void> {
  await field.fill(text);
  await field.press('Escape');
}

async function addCall(page: Page, tool: string): Promise<Locator> {
  const before = await page.getByTestId('call').count();
  await suggest(page.getByRole('region', { name: 'Or pick a tool' }).getByRole('combobox', { name: 'Tool' }), tool);
  await page.getByRole('button', { name: 'Add a call' }).click();
  return page.getByTestId('call').nth(before);
}

/** Hands over, and follows the run whose page comes. */
async function started(page: Page): Promise<RunState> {
  await page.getByRole('button', { name: 'Start the run' }).click();
  await page.waitForURL(/\/runs\/\d+-/);
  const run = new URL(page.url()).pathname.split('/').at(-1)!;
  return system.client.watch(run).done;
}

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

describe('a call made from a schema', () => {
  it('has the values of its fields, and what the form and the JSON say is the same', async () => {
    const app = freshApp();
    const page = await open('/new');
    await suggest(page.getByRole('combobox', { name: 'App' }), app);
    const call = await addCall(page, 'talk');
    await call.getByLabel('lines (needed)').fill('3');
    await call.getByText('known', { exact: true }).click();
    await call.getByRole('tab', { name: 'JSON' }).click();
    const json = call.getByLabel('Arguments as JSON');
    expect(JSON.parse(await json.inputValue())).toMatchObject({ lines: 3 });
    await json.fill('{ "lines": 2, "known": false }');
    await call.getByRole('tab', { name: 'Form' }).click();
    expect(await call.getByLabel('lines (needed)').inputValue()).toBe('2');
    const run = await started(page);
    expect(run).toMatchObject({ status: 'succeeded', tools: [{ name: 'talk', result: { lines: 2 } }] });
    expect(run.tools[0]?.arguments).toMatchObject({ lines: 2, known: false });
  });

  it('offers the choices and parts that the schema names', async () => {
    const page = await open('/new?app=any');
    const call = await addCall(page, 'generate_image');
    await call.getByRole('button', { name: /size/ }).click();
    await page.getByRole('option', { name: '256x256' }).click();
    await call.getByLabel('prompt (needed)').fill('a house');
    await call.getByRole('tab', { name: 'JSON' }).click();
    expect(JSON.parse(await call.getByLabel('Arguments as JSON').inputValue())).toMatchObject({
      prompt: 'a house',
      size: '256x256',
    });
    await call.getByRole('tab', { name: 'Form' }).click();
    await expectAccessible(page);
  });
});

describe('the order of calls', () => {
  it('is a graph when calls are picked that others wait for', async () => {
    const app = freshApp();
    const page = await open(`/new?app=${app}`);
    for (const what of ['first', 'second', 'third']) {
      const call = await addCall(page, 'os-write');
      await call.getByLabel('file_path').fill(`${what}.md`);
      await call.getByLabel('Id').fill(what);
    }
    await page.getByRole('button', { name: /Order/ }).click();
    await page.getByRole('option', { name: 'As each call says' }).click();
    const call = (at: number) => page.getByTestId('call').nth(at);
    await call(0).getByText('third', { exact: true }).click();
    await call(1).getByText('first', { exact: true }).click();
    // The third would wait for itself over either of them.
    await call(2).getByText('There is no call that this one could wait for.').waitFor();
    const run = await started(page);
    expect(run.ordering).toBe('graph');
    expect(run.tools.map(({ call_id, depends_on }) => [call_id, depends_on])).toEqual([
      ['first', [2]],
      ['second', [0]],
      ['third', []],
    ]);
  });

  it('is that of the page: calls are moved, copied and removed', async () => {
    const page = await open('/new?app=any');
    for (const tool of ['os-write', 'talk']) await addCall(page, tool);
    await page.getByRole('button', { name: 'Move call 2 up' }).click();
    await page.getByRole('button', { name: 'Copy call 1' }).click();
    const titles = () => page.getByTestId('call').getByRole('heading').allTextContents();
    expect(await titles()).toEqual(['1. talk', '2. os-write', '3. talk']);
    await page.getByRole('button', { name: 'Remove call 2' }).click();
    expect(await titles()).toEqual(['1. talk', '2. talk']);
    expect(await page.getByLabel('Id').nth(1).inputValue()).toBe('call_2_2');
  });
});

describe('what is wrong', () => {
  it('is said before anything is handed over, at its place, and the list of it takes the focus', async () => {
    const page = await open('/new');
    const requests: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && requests.push(new URL(request.url()).pathname));
    const call = await addCall(page, 'os-write');
    await page.getByRole('button', { name: 'Start the run' }).click();
    const list = page.getByRole('alert').filter({ hasText: 'to put right' });
    await list.getByText('2 things to put right').waitFor();
    expect(await list.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.getByText('Say which app the run belongs to.').first().waitFor();
    await call.getByText('This is needed.').waitFor();
    await expectAccessible(page);

    await list.getByRole('link', { name: 'Call 1' }).click();
    expect(await call.evaluate((element) => element === document.activeElement)).toBe(true);
    await call.getByLabel('file_path').fill('now.md');
    await suggest(page.getByRole('combobox', { name: 'App' }), 'not an app');
    await list.getByText('Letters, digits, - and _ only').waitFor();
    expect(requests.filter((path) => path === '/v1/runs')).toEqual([]);
    const app = freshApp();
    await suggest(page.getByRole('combobox', { name: 'App' }), app);
    await list.waitFor({ state: 'detached' });
    expect(await started(page)).toMatchObject({ app, status: 'succeeded' });
  });

  it('stands at its call when only the service finds it', async () => {
    const page = await open('/new?app=any');
    for (const path of ['a.md', 'b.md']) {
      const call = await addCall(page, 'os-write');
      await call.getByLabel('file_path').fill(path);
    }
    const second = page.getByTestId('call').nth(1);
    // Eight days: more than any call may take.
    await second.getByLabel('Time limit in seconds').fill(String(8 * 24 * 3600));
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.getByText('1 thing to put right').waitFor();
    await page.getByRole('alert').getByRole('link', { name: 'Call 2' }).waitFor();
    await second.getByLabel('Time limit in seconds').fill('60');
    expect(await started(page)).toMatchObject({ tools: [{}, { timeout_ms: 60_000 }] });
  });

  it('may be a tool that nobody serves: it is said, and does not keep the others from running', async () => {
    const app = freshApp();
    const page = await open(`/new?app=${app}`);
    await addCall(page, 'no-such-tool');
    await page.getByText('No executor serves this tool now: the call would fail').waitFor();
    const run = await started(page);
    expect(run.tools[0]).toMatchObject({ status: 'failed', error: { code: 'unknown_tool' } });
  });

  it('may be the token: without the scope nothing can be started, and the page says why', async () => {
    const page = await open('/new?app=any', { token: { scope: 'runs:read' } });
    await page.getByText('it lacks the scope runs:write').waitFor();
    expect(await page.getByRole('button', { name: 'Start the run' }).isDisabled()).toBe(true);
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

describe('by the keyboard alone', () => {
  it('a run is made and started', async () => {
    const app = freshApp();
    const page = await open('/new');
    const { keyboard } = page;
    const tabTo = async (target: Locator) => {
      for (let presses = 0; presses < 80; presses++) {
        if (await target.evaluate((element) => element === document.activeElement)) return;
        await keyboard.press('Tab');
      }
      throw new Error('Tab does not lead there.');
    };
    await tabTo(page.getByRole('combobox', { name: 'App' }));
    await keyboard.type(app);
    await tabTo(page.getByRole('combobox', { name: 'Tool' }));
    await keyboard.type('os-wri');
    for (const key of ['ArrowDown', 'Enter', 'Enter']) await keyboard.press(key);
    await page.getByTestId('call').waitFor();
    await tabTo(page.getByTestId('call').getByLabel('file_path'));
    await keyboard.type('typed.md');
    await tabTo(page.getByTestId('call').getByLabel('content'));
    await keyboard.type('Typed.');
    await tabTo(page.getByRole('button', { name: 'Start the run' }));
    await keyboard.press('Enter');
    await page.waitForURL(/\/runs\/\d+-/);
    const run = await system.client.watch(new URL(page.url()).pathname.split('/').at(-1)!).done;
    expect(run).toMatchObject({ app, status: 'succeeded' });
    expect(run.tools[0]?.arguments).toEqual({ file_path: 'typed.md', content: 'Typed.' });
  });
});

describe('on a telephone', () => {
  it('everything is there, and nothing sideways', async () => {
    const page = await open('/new?app=any', { viewport: MOBILE });
    await addCall(page, 'os-write');
    await page.getByTestId('call').getByLabel('content').waitFor();
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.getByText('to put right').waitFor();
    await expectAccessible(page);
  });
});

import type { SubmitRequest } from '@toolstream/client';
import type { System } from '../support/system.ts';

type Call = SubmitRequest['tool_calls'][number];

const write = (id: string, file_path: string, lines: number, ...depends_on: string[]): Call => ({
  id,
  name: 'os-write',
  arguments: { file_path, content: contentOf(file_path, lines) },
  depends_on,
});

const contentOf = (path: string, lines: number): string =>
  Array.from({ length: lines }, (_, i) => `/* ${path}, line ${i + 1} */ export const part${i + 1} = ${i + 1};`).join(
    '\n',
  );

const importRows = (id: string, rows: number, more: object = {}, ...depends_on: string[]): Call => ({
  id,
  name: 'import-catalog',
  arguments: { rows, ms_per_row: 1, ...more },
  depends_on,
});

/** The tests of a small site, as their runner would print them. */
const TESTS = [
  "const names = ['loads', 'lists products', 'filters by price', 'fills the basket', 'keeps the basket', 'checks out'];",
  'let at = 0;',
  'const tick = () => {',
  '  if (at === 300) return;',
  "  console.log(['ok', at + 1, '-', names[at % names.length], '(' + (20 + (at * 7) % 90) + ' ms)'].join(' '));",
  '  at++;',
  '  setTimeout(tick, 800);',
  '};',
  'tick();',
].join('\n');

/** Longer than taking the pictures lasts. */
const LONG_MS = 600_000;

export interface Scene {
  /** Runs now: something talks, something waits for an answer. */
  readonly live: string;
  /** Ended well, with several attempts' worth of bars. */
  readonly done: string;
  readonly app: string;
}

/** A day's work of a few agents, done by the real system. */
export async function playScene(system: System): Promise<Scene> {
  const run = (calls: readonly Call[], app: string) => system.finished(calls, { app });
  const small = (app: string, i: number) =>
    run(
      [
        write('a', `src/part-${i}.js`, 40 + 10 * i),
        write('b', `styles/part-${i}.css`, 20),
        { id: 'c', name: 'os-list', arguments: {} },
      ],
      app,
    );
  for (let i = 0; i < 3; i++) await Promise.all(['storefront', 'docs-site', 'billing'].map((app) => small(app, i)));
  await run([importRows('a', 120), importRows('b', 80, { reject: true })], 'billing');
  const cancelled = await system.submit([importRows('a', 5_000, { ms_per_row: 5 })], { app: 'docs-site' });
  await system.client.command(cancelled, 'cancel', { reason: 'The old price list was meant.' });
  const done = await run(
    [
      write('page', 'index.html', 60),
      write('styles', 'styles.css', 120),
      importRows('catalog', 200, {}, 'page'),
      write('shop', 'src/shop.js', 90, 'page', 'styles'),
      { id: 'search', name: 'os-search', arguments: { query: 'part1' }, depends_on: ['shop'] },
      { id: 'read', name: 'os-read', arguments: { file_path: 'src/shop.js' }, depends_on: ['shop', 'catalog'] },
    ],
    'storefront',
  );
  const live = await system.submit(
    [
      write('page', 'index.html', 64),
      write('shop', 'src/shop.js', 110, 'page'),
      { ...importRows('catalog', 4_000, { ms_per_row: 40 }, 'page'), timeout_ms: LONG_MS },
      {
        id: 'tests',
        name: 'shell',
        arguments: { command: ['node', '-e', TESTS], timeout_seconds: LONG_MS / 1000 },
        depends_on: ['shop'],
      },
      { id: 'publish', name: 'publish-site', arguments: { domain: 'shop.example.com' }, depends_on: ['shop'] },
      write('notes', 'NOTES.md', 12, 'tests', 'publish'),
    ],
    { app: 'storefront' },
  );
  await system.client.command(live, 'approve_tool', { index: await asked(system, live, 'shell') });
  return { live, done: done.run_id, app: 'storefront' };
}

/** Waits until the call asks for an approval. */
async function asked(system: System, run: string, name: string): Promise<number> {
  const watch = system.client.watch(run);
  try {
    return await new Promise((resolve, reject) => {
      watch.on('state', ({ tools }) => {
        const call = tools.find((tool) => tool.name === name && tool.status === 'awaiting_approval');
        if (call) resolve(call.index);
      });
      watch.done.then(() => reject(new Error(`${name} was never asked for.`)), reject);
    });
  } finally {
    watch.close();
  }
}

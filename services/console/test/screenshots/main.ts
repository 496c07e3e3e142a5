import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { setup as buildConsole } from '../support/build.ts';
import { MOBILE, type System, startSystem } from '../support/system.ts';
import { playScene, type Scene } from './scene.ts';

/** `npm run screenshots`: a picture of every view, light and dark, of the real product with real runs. */
const folder = join(import.meta.dirname, '../../../../docs/screenshots');
const SIZE = { width: 1440, height: 900 };

interface Shot {
  readonly name: string;
  readonly path: (scene: Scene) => string;
  /** A text that is there once the view shows what it is about. */
  readonly shows?: string | RegExp;
  /** Nobody is signed in. */
  readonly token?: null;
}

const SHOTS: readonly Shot[] = [
  { name: 'runs', path: () => '/', shows: 'Needs approval' },
  { name: 'run', path: ({ live }) => `/runs/${live}?call=3`, shows: /^ok \d+ - / },
  { name: 'run-ended', path: ({ done }) => `/runs/${done}`, shows: 'os-search' },
  { name: 'timeline', path: ({ done }) => `/runs/${done}?tab=timeline`, shows: 'import-catalog' },
  { name: 'app', path: ({ app }) => `/apps/${app}`, shows: 'index.html' },
  { name: 'tools', path: () => '/tools', shows: 'import-catalog' },
  { name: 'delivery', path: () => '/delivery' },
  { name: 'new-run', path: ({ done }) => `/new?from=${done}`, shows: 'import-catalog' },
  { name: 'sign-in', path: () => '/', token: null },
];

const ON_A_TELEPHONE: readonly Shot[] = [
  { name: 'runs', path: () => '/', shows: 'Needs approval' },
  { name: 'run', path: ({ live }) => `/runs/${live}`, shows: 'publish-site' },
];

async function main(): Promise<void> {
  buildConsole();
  mkdirSync(folder, { recursive: true });
  const system = await startSystem({
    executors: 2,
    env: {
      TOOLSTREAM_TOOLS: join(import.meta.dirname, 'tools.ts'),
      TOOLSTREAM_SHELL: '1',
      TOOLSTREAM_SHELL_ALLOW: 'node',
    },
  });
  try {
    const scene = await playScene(system);
    for (const theme of ['light', 'dark'] as const)
      for (const shot of SHOTS) await take(system, scene, shot, `${shot.name}-${theme}`, { theme, viewport: SIZE });
    for (const shot of ON_A_TELEPHONE)
      await take(system, scene, shot, `${shot.name}-mobile`, { theme: 'light', viewport: MOBILE });
    await system.client.command(scene.live, 'cancel');
  } finally {
    await system.stop();
  }
}

type Look = { theme: 'light' | 'dark'; viewport: { width: number; height: number } };

async function take(system: System, scene: Scene, shot: Shot, name: string, look: Look): Promise<void> {
  const { path, shows, token } = shot;
  const page = await system.open(path(scene), { ...look, ...(token === null ? { token } : {}) });
  await ready(page, shows);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  process.stdout.write(`docs/screenshots/${name}.png\n`);
  await system.closePages();
}

async function ready(page: Page, shows: string | RegExp | undefined): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  if (shows !== undefined) await page.getByText(shows).first().waitFor();
  await page.evaluate(() => document.fonts.ready);
  // What is drawn after that (charts, lists of measured height) has settled when two pictures are the same.
  let before = '';
  for (let look = 0; look < SETTLED_AT_MOST; look++) {
    const now = await page.evaluate(
      () => document.querySelector('main')?.scrollHeight + (document.body.textContent ?? '').replace(/\d/g, ''),
    );
    if (now === before) return;
    before = now;
    await page.waitForTimeout(LOOK_MS);
  }
}

const SETTLED_AT_MOST = 8;
const LOOK_MS = 400;

await main();

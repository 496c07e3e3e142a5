import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, MOBILE, type System, sidewaysBy, startSystem } from './support/index.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

/** The ground of `tokens.css`. */
const LIGHT = 'rgb(245, 243, 240)';
const DARK = 'rgb(22, 21, 19)';

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });
const token = (page: Page) => page.getByLabel('Token', { exact: true });

describe('signing in', () => {
  it('happens by the address that the terminal printed, which keeps everything but the token', async () => {
    const page = await system.open('/?status=failed');
    await heading(page, 'Runs').waitFor();
    expect(page.url()).toBe(`${system.url}/?status=failed`);
    expect(await page.evaluate(() => JSON.stringify([localStorage, history.state]))).not.toContain('eyJ');
  });

  it('outlives a reload, and ends with signing out', async () => {
    const page = await system.open('/');
    await heading(page, 'Runs').waitFor();
    await page.reload();
    await heading(page, 'Runs').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading(page, 'Sign in').waitFor();
    await page.reload();
    await heading(page, 'Sign in').waitFor();
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('eyJ');
  });

  it('takes a pasted token, and goes where the address led', async () => {
    const page = await system.open('/?status=live', { token: null });
    await heading(page, 'Sign in').waitFor();
    await page.getByText('make demo').waitFor();
    await expectAccessible(page);
    await token(page).fill('hello');
    await token(page).press('Enter');
    await page.getByText('This is no token.').waitFor();
    await token(page).fill(`${system.url}/#token=${await system.t.token({ expiresInSeconds: -10 })}`);
    await token(page).press('Enter');
    await page.getByText('expired too').waitFor();
    await token(page).fill(`  ${system.url}/runs/0-1#token=${await system.t.token()} `);
    await token(page).press('Enter');
    await heading(page, 'Runs').waitFor();
    expect(page.url()).toBe(`${system.url}/?status=live`);
  });

  it('is somebody else’s from then on where another token is opened in the same page', async () => {
    const page = await system.open('/?app=nobody');
    await page.getByText('ann').waitFor();
    const other = await system.t.token({ sub: 'bob', tenant: 't2' });
    await page.evaluate((jwt) => {
      location.hash = `#token=${jwt}`;
    }, other);
    await page.getByText('bob').waitFor();
    expect(page.url()).toBe(`${system.url}/?app=nobody`);
    await page.getByRole('link', { name: 'Tools', exact: true }).click();
    await heading(page, 'Tools').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading(page, 'Sign in').waitFor();
    expect(await page.evaluate(() => JSON.stringify([sessionStorage, localStorage]))).not.toContain('eyJ');
  });

  it('is asked for again when the token expires, and the page goes on as it was', async () => {
    const page = await system.open('/?app=expiring', { token: { expiresInSeconds: 6 } });
    await heading(page, 'Runs').waitFor();
    const dialog = page.getByRole('alertdialog', { name: 'Your token has expired' });
    await dialog.waitFor();
    await expectAccessible(page);
    const run = await system.submit([{ id: 'a', name: 'noop', arguments: {} }], { app: 'expiring' });
    await token(page).fill(await system.t.token());
    await token(page).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByText(run).waitFor();
    expect(page.url()).toBe(`${system.url}/?app=expiring`);
  });

  it('is asked for again where the service refuses the token', async () => {
    const [head, body] = (await system.t.token()).split('.');
    const page = await system.open('/', { token: `${head}.${body}.bm90LWl0cy1zaWduYXR1cmU` });
    const dialog = page.getByRole('alertdialog', { name: 'The service does not accept your token' });
    await dialog.waitFor();
    await token(page).fill(await system.t.token());
    await token(page).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await heading(page, 'Runs').waitFor();
    await page
      .getByText('Live', { exact: true })
      .or(page.getByText('Idle', { exact: true }))
      .first()
      .waitFor();
  });

  it('is shared by the tabs of a browser, as is signing out', async () => {
    const first = await system.open('/');
    await heading(first, 'Runs').waitFor();
    const second = await system.open('/', { token: null, beside: first });
    await heading(second, 'Runs').waitFor();
    await second.getByRole('button', { name: 'Sign out' }).click();
    await heading(first, 'Sign in').waitFor();
  });
});

describe('the shell', () => {
  it('is accessible in both themes, and chooses between them', async () => {
    const page = await system.open('/');
    await heading(page, 'Runs').waitFor();
    await expectAccessible(page);
    await page.emulateMedia({ colorScheme: 'light' });
    const ground = () => page.evaluate(() => getComputedStyle(document.body.parentElement!).backgroundColor);
    await expect.poll(ground).toBe(LIGHT);
    const button = page.getByRole('button', { name: /^Colours:/ });
    await button.click();
    await button.click();
    expect(await button.getAttribute('aria-label')).toBe('Colours: dark');
    await expect.poll(ground).toBe(DARK);
    await page.reload();
    await heading(page, 'Runs').waitFor();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
  });

  it('fits a telephone', async () => {
    const page = await system.open('/', { viewport: MOBILE });
    await heading(page, 'Runs').waitFor();
    await expectAccessible(page, { themes: ['dark'] });
    for (const width of [320, 768, 1600]) {
      await page.setViewportSize({ width, height: 700 });
      expect(await sidewaysBy(page), `at ${width} pixels`).toBe(0);
    }
  });

  it('is used without a mouse: past the navigation, by letters, by the list of keys', async () => {
    const page = await system.open('/');
    await heading(page, 'Runs').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await heading(page, 'Tools').waitFor();
    await expect.poll(() => page.getByTestId('announcements').textContent()).toContain('Tools');
    await page.keyboard.press('?');
    const keys = page.getByRole('dialog', { name: 'Keys' });
    await keys.getByText('Go to runs').waitFor();
    await page.keyboard.press('Escape');
    await keys.waitFor({ state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await heading(page, 'Runs').waitFor();
  });

  it('says where nothing is, and leads back', async () => {
    const page = await system.open('/runs/0-1/nothing', { token: null });
    expect(await page.textContent('body')).toContain('not_found');
    const inside = await system.open('/');
    await heading(inside, 'Runs').waitFor();
    await inside.evaluate(() => {
      history.pushState({}, '', '/nowhere');
      dispatchEvent(new PopStateEvent('popstate'));
    });
    await heading(inside, 'There is no such page').waitFor();
    await inside.getByRole('link', { name: 'Go to all runs' }).click();
    await heading(inside, 'Runs').waitFor();
  });

  it('keeps the page where a view cannot be fetched, and fetches it when it is asked to', async () => {
    const page = await system.open('/');
    await heading(page, 'Runs').waitFor();
    await page.route('**/assets/*.js', (route) => route.abort());
    await page.getByRole('link', { name: 'Tools', exact: true }).click();
    await heading(page, 'This view stopped').waitFor();
    await page.getByText('view_not_loaded').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await heading(page, 'Runs').waitFor();
    await page.getByRole('link', { name: 'Tools', exact: true }).click();
    await heading(page, 'This view stopped').waitFor();
    await page.unroute('**/assets/*.js');
    await page.getByRole('button', { name: 'Try again' }).click();
    await heading(page, 'Tools').waitFor();
  });

  it('says that it is away, and how long it was', async () => {
    await system.submit([{ id: 'a', name: 'talk', arguments: { lines: 200, ms: 100 } }], { app: 'away' });
    const page = await system.open('/?app=away');
    const indicator = page.locator('[data-connection]');
    await page.locator('[data-connection="open"]').waitFor();
    await page.context().setOffline(true);
    await page.locator('[data-connection="waiting"], [data-connection="connecting"]').waitFor({ timeout: 60_000 });
    await page.context().setOffline(false);
    await page.locator('[data-connection="open"]').waitFor({ timeout: 60_000 });
    await indicator.click();
    await page.getByText(/Away for .*, caught up since\./).waitFor();
  });
});

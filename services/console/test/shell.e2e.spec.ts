import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, MOBILE, type System, startSystem } from './support/index.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

describe('signing in', () => {
  it('happens by the address that the terminal printed, and leaves no token in it', async () => {
    const page = await system.open('/?status=failed');
    await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
    expect(page.url()).toBe(`${system.url}/?status=failed`);
  });
});

describe('the shell', () => {
  it('is accessible', async () => {
    const page = await system.open('/');
    await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
    await expectAccessible(page);
  });

  it('fits a telephone', async () => {
    const page = await system.open('/', { viewport: MOBILE });
    await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
    await expectAccessible(page, { themes: ['dark'] });
  });
});

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

interface AccessibleOptions {
  /** Default: light and dark. */
  readonly themes?: readonly ('light' | 'dark')[];
}

/** axe finds nothing on the page as it stands, in either theme, and the page does not scroll sideways. */
export async function expectAccessible(
  page: Page,
  { themes = ['light', 'dark'] }: AccessibleOptions = {},
): Promise<void> {
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme });
    await painted(page);
    const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
    const found = violations.map(
      ({ id, help, nodes }) =>
        `${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `  ${html}\n  ${failureSummary}`).join('\n')}`,
    );
    expect(found.join('\n'), `what axe finds (${colorScheme})`).toBe('');
  }
  expect(await sidewaysBy(page), 'pixels that the page scrolls sideways').toBe(0);
}

/** A page takes its colours over with the next frame, not with the word. */
const painted = (page: Page): Promise<void> =>
  page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));

/** By how much the page is wider than its window. */
export const sidewaysBy = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** The text of an element as it is seen: without what is hidden, with the breaks between cells and lines. */
// biome-ignore lint/performance/useDomNodeTextContent: what is hidden does not count.
export const shown = (element: Locator): Promise<string> => element.innerText();
/** The same of all that it stands for. */
export const allShown = (elements: Locator): Promise<string[]> => elements.allInnerTexts();

/** What a page shows soon. */
export const becomes = <T>(read: () => T): ReturnType<typeof expect.poll<T>> => expect.poll(read, { timeout: 15_000 });

/** A figure with its value and note, or a fact with what it means, by its name. */
export const figure = (page: Page, term: string): Locator =>
  page.getByRole('term').filter({ hasText: term }).locator('xpath=..');

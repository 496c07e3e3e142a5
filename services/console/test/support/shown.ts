import type { Locator } from 'playwright-core';

/** The text of an element as it is seen: without what is hidden, with the breaks between cells and lines. */
// biome-ignore lint/performance/useDomNodeTextContent: what is hidden does not count.
export const shown = (element: Locator): Promise<string> => element.innerText();
/** The same of all that it stands for. */
export const allShown = (elements: Locator): Promise<string[]> => elements.allInnerTexts();

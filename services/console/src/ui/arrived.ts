import { announce } from './announce.ts';

let last: string | undefined;

/**
 * A page was shown in place of another: its name is read out, as a browser does for a page that it loads, and a focus that went
 * with the page before begins at the new one's content. A focus that is somewhere stays there.
 */
export function arrived(path: string, title: string): void {
  const before = last;
  last = path;
  if (before === undefined || before === path) return;
  announce(title, 'page');
  if (document.activeElement === document.body) document.getElementById('main')?.focus({ preventScroll: true });
}

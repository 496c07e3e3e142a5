import { toast } from '../../../ui/index.ts';

/** The address of this page at an event. Whoever opens it signs in by themselves: it carries no token. */
function linkTo(tab: 'timeline' | 'events', cursor: string): string {
  const address = new URL(location.href);
  address.hash = '';
  address.searchParams.set('tab', tab);
  address.searchParams.set('at', cursor);
  return address.href;
}

export function copyLink(tab: 'timeline' | 'events', cursor: string): void {
  copy(linkTo(tab, cursor), 'Link copied');
}

export function copy(text: string, done: string): void {
  navigator.clipboard.writeText(text).then(
    () => toast({ title: done, tone: 'ok' }),
    () => toast({ title: 'The browser refused to copy', description: text, tone: 'bad' }),
  );
}

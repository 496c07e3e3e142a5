import type { Envelope } from './events.ts';

/** The writer whose subject an event is stored on: `run`, or the tool's index. */
export function writerOf(event: Pick<Envelope, 'subject'>): 'run' | number {
  const at = event.subject.lastIndexOf('/tools/');
  return at < 0 ? 'run' : Number(event.subject.slice(at + 7));
}

export const eventSubjectAttribute = (run: string, writer: 'run' | number): string =>
  writer === 'run' ? `runs/${run}` : `runs/${run}/tools/${writer}`;

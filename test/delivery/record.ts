import type { ClientFrame, ServerFrame } from '@toolstream/proto-events';

/** What happened at one client, in the order in which it saw it. `connection` counts its connections. */
export type Entry = { readonly ms: number; readonly connection: number } & (
  | { readonly kind: 'opened' | 'note'; readonly text?: string }
  | { readonly kind: 'closed'; readonly text?: string }
  | { readonly kind: 'subscribe'; readonly topic: string; readonly cursor: string | undefined }
  | { readonly kind: 'unsubscribe'; readonly topic: string }
  | { readonly kind: 'frame'; readonly frame: ServerFrame }
);

type Names = { run?: string | undefined; app?: string | undefined };

export const topicOf = (names: Names): string => (names.app === undefined ? `run/${names.run}` : `app/${names.app}`);
export const namesOf = (topic: string): { run: string } | { app: string } =>
  topic.startsWith('run/') ? { run: topic.slice(4) } : { app: topic.slice(4) };

/** Frames of a subscription; the others concern the connection. */
export function topicOfFrame(frame: ServerFrame): string | undefined {
  if (!('run' in frame) && !('app' in frame)) return undefined;
  const { run, app } = frame as { run?: string; app?: string };
  return run === undefined && app === undefined ? undefined : topicOf({ run, app });
}

/** One client's record, frame by frame: what the checker judges and what a failure prints. */
export class Recorder {
  readonly entries: Entry[] = [];
  readonly #began: number;
  #connection = 0;

  constructor(began: number) {
    this.#began = began;
  }

  /** Frames of a connection that was given up may still arrive: they belong to nobody. */
  opened(): number {
    this.#connection++;
    this.#add({ kind: 'opened' });
    return this.#connection;
  }

  closed(connection: number, text: string): void {
    if (connection === this.#connection) this.#add({ kind: 'closed', text });
  }

  note(text: string): void {
    this.#add({ kind: 'note', text });
  }

  sent(connection: number, frame: ClientFrame): void {
    if (connection !== this.#connection) return;
    if (frame.type === 'hello')
      for (const wish of frame.subscribe ?? []) this.subscribed(topicOf(wish as Names), wish.cursor);
    if (frame.type === 'subscribe') this.subscribed(topicOf(frame as Names), frame.cursor);
    if (frame.type === 'unsubscribe') this.#add({ kind: 'unsubscribe', topic: topicOf(frame) });
  }

  subscribed(topic: string, cursor: string | undefined): void {
    this.#add({ kind: 'subscribe', topic, cursor });
  }

  received(connection: number, frame: ServerFrame): void {
    if (connection === this.#connection) this.#add({ kind: 'frame', frame });
  }

  #add(entry: DistributiveOmit<Entry, 'ms' | 'connection'>): void {
    const ms = Math.round(performance.now() - this.#began);
    this.entries.push({ ...entry, ms, connection: this.#connection } as Entry);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const isPing = (entry: Entry): boolean => entry.kind === 'frame' && entry.frame.type === 'ping';

/** The entries around the one at `index`, or the last ones, one a line. */
export function excerptOf(entries: readonly Entry[], index: number | undefined, count: number): string {
  const shown = index === undefined ? entries : entries.slice(0, index + 5);
  return shown
    .filter((entry) => !isPing(entry))
    .slice(-count)
    .map((entry) => `    ${String(entry.ms).padStart(6)} #${entry.connection} ${lineOf(entry)}`)
    .join('\n');
}

function lineOf(entry: Entry): string {
  switch (entry.kind) {
    case 'frame':
      return `← ${frameLine(entry.frame)}`;
    case 'subscribe':
      return `→ subscribe ${entry.topic} from ${entry.cursor ?? 'nothing'}`;
    case 'unsubscribe':
      return `→ unsubscribe ${entry.topic}`;
    default:
      return `${entry.kind} ${entry.text ?? ''}`;
  }
}

function frameLine(frame: ServerFrame): string {
  const shown = Object.entries(frame).map(([key, value]) => {
    if (key === 'event') return `event=${(value as { type: string }).type}`;
    if (key === 'state') return 'state=…';
    return key === 'type' ? String(value) : `${key}=${String(value)}`;
  });
  return shown.join(' ');
}

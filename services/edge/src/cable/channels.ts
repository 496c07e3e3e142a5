import type { Subscription } from '../feeds/subscription.ts';
import { Channel, type Joining } from './channel.ts';
import type { CableHost } from './host.ts';
import { targetOf } from './target.ts';

/** A client that has its session back says within this time where it stands. */
const HISTORY_WITHIN_MS = 2_000;

/** The subscriptions of one connection, by identifier. */
export class Channels {
  readonly #host: CableHost;
  readonly #channels = new Map<string, Channel>();
  readonly #restored = new Map<Channel, NodeJS.Timeout>();

  constructor(host: CableHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#channels.size;
  }

  all(): Iterable<Channel> {
    return this.#channels.values();
  }

  find(identifier: string): Channel | undefined {
    const channel = this.#channels.get(identifier);
    return channel?.isOpen ? channel : undefined;
  }

  *subscriptions(): Generator<Subscription> {
    for (const { subscription } of this.#channels.values()) if (subscription) yield subscription;
  }

  identifiers(): string[] {
    return Array.from(this.#channels.values())
      .filter((channel) => channel.isOpen || this.#restored.has(channel))
      .map(({ identifier }) => identifier);
  }

  /** Clients repeat this until they are answered: what is there is confirmed again, what is asked about keeps its turn. */
  async subscribe(identifier: string, joining: Joining): Promise<boolean> {
    const known = this.#channels.get(identifier);
    if (known) {
      if (this.#restored.has(known)) this.#resume(known, joining, true);
      else if (known.isOpen) this.#host.send({ type: 'confirm_subscription', identifier });
      return false;
    }
    const channel = this.#add(identifier);
    const allowed = (await channel?.authorize()) ?? false;
    if (this.#host.closed || (channel && this.#channels.get(identifier) !== channel)) return false;
    if (!channel || !allowed) {
      if (channel) this.#drop(channel);
      this.#host.send({ type: 'reject_subscription', identifier });
      return false;
    }
    channel.open(joining, { confirm: true });
    return true;
  }

  /** Takes back what a session had. Whether it still may is asked as at every subscription. Returns what it got. */
  async restore(identifiers: readonly string[]): Promise<string[]> {
    const asked = identifiers.map(async (identifier) => {
      const channel = this.#add(identifier);
      if (!channel) return undefined;
      if (await channel.authorize()) return channel;
      this.#drop(channel);
      return undefined;
    });
    const restored: string[] = [];
    for (const channel of await Promise.all(asked)) {
      if (!channel || this.#host.closed) continue;
      const late = setTimeout(() => this.#resume(channel, {}, false), HISTORY_WITHIN_MS);
      this.#restored.set(channel, late.unref());
      restored.push(channel.identifier);
    }
    return restored;
  }

  /** Where the client stands. In a channel that is under way it has missed nothing. */
  history(identifier: string, joining: Joining): void {
    const channel = this.#channels.get(identifier);
    if (!channel) return;
    if (this.#restored.has(channel)) this.#resume(channel, joining, false);
    else if (channel.isOpen) this.#host.send({ type: 'confirm_history', identifier });
  }

  unsubscribe(identifier: string): void {
    const channel = this.#channels.get(identifier);
    if (channel) this.#drop(channel);
  }

  /** Who was asked first is asked last the next time, so that none takes all the room. */
  drained(waited: boolean): void {
    const [first] = this.#channels;
    for (const channel of [...this.#channels.values()]) channel.drained(waited);
    if (!first || this.#channels.get(first[0]) !== first[1]) return;
    this.#channels.delete(first[0]);
    this.#channels.set(...first);
  }

  close(): void {
    for (const channel of [...this.#channels.values()]) this.#drop(channel);
  }

  #add(identifier: string): Channel | undefined {
    const target = targetOf(identifier);
    if (!target || this.#channels.has(identifier)) return undefined;
    if (this.#channels.size >= this.#host.services.config.TOOLSTREAM_MAX_SUBSCRIPTIONS) return undefined;
    const channel = new Channel(this.#host, identifier, target);
    this.#channels.set(identifier, channel);
    return channel;
  }

  #resume(channel: Channel, joining: Joining, confirm: boolean): void {
    clearTimeout(this.#restored.get(channel));
    this.#restored.delete(channel);
    channel.open(joining, { confirm });
  }

  #drop(channel: Channel): void {
    clearTimeout(this.#restored.get(channel));
    this.#restored.delete(channel);
    channel.close();
    if (this.#channels.get(channel.identifier) === channel) this.#channels.delete(channel.identifier);
  }
}

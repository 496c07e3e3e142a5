import type { RunState } from '@toolstream/proto-events';
import type { Channel } from './channel.ts';
import type { ToolstreamError } from './errors.ts';
import { MessageLink } from './message-link.ts';
import type { Subscriber } from './transport.ts';
import { Watch } from './watch.ts';

export interface FollowerOptions {
  random(): number;
  resubscribe(subscriber: Subscriber, cursor: undefined): void;
  /** The subscription to this run, as a follower of a message has it. */
  follow(run: string, fresh: boolean): Channel<RunState>;
  /** The follower needs this one no more. */
  left(channel: Channel<RunState>): void;
  /** Nobody watches the message any more. */
  over(): void;
}

/** Joins what is known of a message's newest run with the subscription to that run, for all who watch the message. */
export class MessageFollower {
  readonly link: MessageLink;
  readonly #options: FollowerOptions;
  readonly #watches = new Set<Watch<RunState>>();
  #newest: { channel: Channel<RunState>; run: string; app: string } | undefined;

  constructor(message_id: string, options: FollowerOptions) {
    this.#options = options;
    this.link = new MessageLink(message_id, {
      random: () => options.random(),
      resubscribe: (link) => options.resubscribe(link, undefined),
      attached: (run, app, fresh) => this.#attached(run, app, fresh),
      failed: (error, fatal) => {
        if (fatal) this.fail(error);
        else for (const watch of [...this.#watches]) watch.failed(error, false);
      },
    });
  }

  join(): Watch<RunState> {
    const watch: Watch<RunState> = new Watch(this.link.target, () => this.#left(watch));
    this.#watches.add(watch);
    if (this.#newest) watch.attach(this.#newest.channel, this.#newest);
    return watch;
  }

  /** Those that follow a run already hear of it from its subscription. */
  tell(error: ToolstreamError): void {
    if (!this.#newest) for (const watch of [...this.#watches]) watch.failed(error, false);
  }

  fail(error: ToolstreamError): void {
    for (const watch of [...this.#watches]) watch.fail(error);
    this.#close();
  }

  #attached(run: string, app: string, fresh: boolean): void {
    const before = this.#newest?.channel;
    const channel = this.#options.follow(run, fresh);
    this.#newest = { channel, run, app };
    for (const watch of [...this.#watches]) watch.attach(channel, { run, app });
    if (before && before !== channel) this.#options.left(before);
  }

  #left(watch: Watch<RunState>): void {
    this.#watches.delete(watch);
    this.#newest?.channel.listeners.delete(watch);
    if (this.#watches.size === 0) this.#close();
  }

  #close(): void {
    this.link.close();
    this.#watches.clear();
    this.#options.over();
    const { channel } = this.#newest ?? {};
    this.#newest = undefined;
    if (channel) this.#options.left(channel);
  }
}

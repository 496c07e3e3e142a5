import { isExpired } from '../auth/principal.ts';
import { Refusal } from '../problems.ts';
import { RateLimit } from '../socket/rate.ts';
import { Actions } from './actions.ts';
import type { Channels } from './channels.ts';
import type { Why } from './farewell.ts';
import type { Greeting } from './greeting.ts';
import type { CableHost } from './host.ts';
import { type CableCommand, EXT, readAction, readCommand } from './wire.ts';

/** Frames that arrive during the greeting wait; more of them than this is no client of ours. */
const WAITING_FRAMES = 256;
/** After the token's end what is subscribed goes on for the grace, but nothing new is given. */
const NEEDS_TOKEN: ReadonlySet<string> = new Set(['subscribe', 'history', 'message']);

/**
 * What a client sends. Nothing in it is trusted: what is no command of the protocol ends the connection, what is not known
 * is ignored, and what comes too fast is left out; clients repeat what was not answered.
 */
export class Inbox {
  readonly #host: CableHost & { readonly channels: Channels };
  readonly #end: (why: Why) => void;
  readonly #actions: Actions;
  readonly #rate: RateLimit;
  #waiting: CableCommand[] = [];
  #greeting: Greeting | undefined;

  constructor(host: CableHost & { readonly channels: Channels }, end: (why: Why) => void) {
    this.#host = host;
    this.#end = end;
    this.#actions = new Actions(host);
    this.#rate = new RateLimit(host.services.config.TOOLSTREAM_FRAMES_PER_SECOND, performance.now());
  }

  received(data: Buffer, isBinary: boolean): void {
    const limit = this.#rate.take(performance.now());
    const command = isBinary ? undefined : readCommand(data.toString());
    if (limit === 'hopeless') this.#end('flood');
    else if (!command) this.#end('invalid');
    else if (limit === 'limited') this.#refuse(command);
    else if (this.#greeting) this.#handle(command, this.#greeting);
    else if (this.#waiting.length < WAITING_FRAMES) this.#waiting.push(command);
    else this.#end('flood');
  }

  /** The client has been welcomed. */
  open(greeting: Greeting): void {
    this.#greeting = greeting;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const command of waiting) if (!this.#host.closed) this.#handle(command, greeting);
  }

  close(): void {
    this.#waiting = [];
  }

  #handle({ command, identifier, data, history }: CableCommand, greeting: Greeting): void {
    const { channels, protocol } = this.#host;
    const ext = protocol === EXT;
    if (ext && command === 'ping') this.#host.send({ type: 'pong' });
    if (identifier === undefined) return;
    if (NEEDS_TOKEN.has(command) && isExpired(this.#host.principal, Date.now())) {
      this.#end('expired');
      return;
    }
    switch (command) {
      case 'subscribe':
        void this.#subscribe(identifier, ext ? history : undefined, greeting);
        return;
      case 'unsubscribe':
        channels.unsubscribe(identifier);
        greeting.page?.forget(identifier);
        greeting.changed();
        return;
      case 'message':
        this.#perform(identifier, data);
        return;
      case 'history':
        if (ext) channels.history(identifier, { history: history ?? { streams: {} } });
        return;
      case 'presence':
        if (ext) this.#host.send({ type: 'presence', identifier, message: { type: 'error' } });
    }
  }

  async #subscribe(identifier: string, history: CableCommand['history'], greeting: Greeting): Promise<void> {
    const { channels } = this.#host;
    const place = greeting.page?.placeOf(identifier);
    if (await channels.subscribe(identifier, { history, place })) greeting.changed();
  }

  #perform(identifier: string, data: unknown): void {
    const channel = this.#host.channels.find(identifier);
    const asked = readAction(data);
    if (channel && asked) this.#actions.perform(channel, asked.action, asked.params);
  }

  #refuse({ command, identifier, data }: CableCommand): void {
    if (command !== 'message' || identifier === undefined) return;
    this.#actions.refuse(identifier, readAction(data)?.action ?? '', new Refusal('rate_limited'));
  }
}

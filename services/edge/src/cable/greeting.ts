import type { Principal } from '../auth/principal.ts';
import type { Services } from '../services.ts';
import type { Channels } from './channels.ts';
import { type CableRequest, pageOf, sidOf } from './credentials.ts';
import { newSid, pageKey, REWRITE_MS } from './memory.ts';
import { Page } from './page.ts';
import { type ControlFrame, EXT } from './wire.ts';

const WRITE_AFTER_MS = 100;

export interface Greeted {
  readonly services: Pick<Services, 'cable'>;
  readonly principal: Principal;
  readonly protocol: string;
  readonly channels: Channels;
}

/**
 * What a connection continues: for ext-json the session that the client names, whose subscriptions come back without being
 * asked for; for v1 the page that it belongs to. Neither spares anything: the caller was identified before, and each
 * subscription is authorised again.
 */
export class Greeting {
  readonly page: Page | undefined;
  readonly welcome: ControlFrame;
  readonly #greeted: Greeted;
  readonly #sid: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writtenAt = Date.now();

  private constructor(greeted: Greeted, welcome: ControlFrame, { sid, page }: { sid?: string; page?: Page }) {
    this.#greeted = greeted;
    this.welcome = welcome;
    this.#sid = sid;
    this.page = page;
  }

  static async of(greeted: Greeted, request: CableRequest): Promise<Greeting> {
    const { services, principal, protocol, channels } = greeted;
    if (protocol !== EXT) {
      const nonce = pageOf(request);
      if (nonce === undefined) return new Greeting(greeted, { type: 'welcome' }, {});
      const page = await Page.open(services.cable.memory, pageKey(principal, nonce));
      return new Greeting(greeted, { type: 'welcome' }, { page });
    }
    const before = sidOf(request);
    const had = before === undefined ? [] : await services.cable.memory.takeSession(before, principal);
    const restored_ids = await channels.restore(had);
    const sid = newSid();
    const restored = restored_ids.length > 0 ? { restored: true as const, restored_ids } : {};
    const greeting = new Greeting(greeted, { type: 'welcome', sid, ...restored }, { sid });
    if (restored_ids.length > 0) greeting.changed();
    return greeting;
  }

  /** The subscriptions are not what they were. */
  changed(): void {
    if (this.#sid === undefined || this.#timer) return;
    this.#timer = setTimeout(() => this.#write(), WRITE_AFTER_MS);
    this.#timer.unref();
  }

  /** A connection that stays open is not forgotten. */
  tick(now: number): void {
    this.page?.tick(now);
    if (this.#sid !== undefined && now - this.#writtenAt >= REWRITE_MS) this.changed();
  }

  /** The connection is over; its session may be asked for now. */
  close(): void {
    if (this.#timer) this.#write();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writtenAt = Date.now();
    const { services, principal, channels } = this.#greeted;
    void services.cable.memory.keepSession(this.#sid!, principal, channels.identifiers());
  }
}

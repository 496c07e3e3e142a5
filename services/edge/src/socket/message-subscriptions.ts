import {
  CURSOR_START,
  type MessageLink,
  parseCursors,
  partitionOfRun,
  type RunAddress,
  runSubjects,
} from '@toolstream/proto-events';
import type { Logger } from '@toolstream/service-kit';
import type { Messages } from '../adapters/messages.ts';
import { hasScope, mayUseApp, type Principal, requireScope } from '../auth/principal.ts';
import type { EdgeLog } from '../feeds/log.ts';
import { Refusal } from '../problems.ts';
import { type Peer, refusalFor } from './peer.ts';

export interface MessageSubscriptionsParts {
  readonly log: EdgeLog;
  readonly logger: Logger;
  readonly messages: Messages;
}

/** How a message's run is watched: as if the client had subscribed to it, unless it has. */
export interface RunFollower {
  /** Calls `ready` before the run's first frame. False: the run is not in the log. */
  follow(message: string, run: RunAddress, cursor: string | undefined, ready: () => void): Promise<boolean>;
  /** Ends what {@link follow} began for this message. */
  unfollow(message: string, run: string): void;
}

interface Following {
  readonly message: string;
  /** Where the client stands in the run that it has seen last. */
  readonly cursor: string | undefined;
  stop: () => void;
  link: MessageLink | undefined;
  /** The client has been waiting, so it is sent a run from its first event. */
  waited: boolean;
  over: boolean;
}

/**
 * A connection's subscriptions to messages. Each follows the newest run of its message:
 *
 *   waiting (no run yet) ─→ attached (the run's frames follow) ─→ attached to a newer run …
 */
export class MessageSubscriptions {
  readonly #peer: Peer;
  readonly #parts: MessageSubscriptionsParts;
  readonly #runs: RunFollower;
  readonly #following = new Map<string, Following>();

  constructor(peer: Peer, parts: MessageSubscriptionsParts, runs: RunFollower) {
    this.#peer = peer;
    this.#parts = parts;
    this.#runs = runs;
  }

  get size(): number {
    return this.#following.size;
  }

  subscribe(message: string, cursor: string | undefined): void {
    const { principal } = this.#peer;
    try {
      requireScope(principal, 'runs:read');
      if (cursor !== undefined && cursor !== CURSOR_START && !parseCursors(cursor)) throw new Refusal('bad_cursor');
    } catch (error) {
      this.#peer.error(refusalFor(error, this.#parts.logger, {}), { message_id: message });
      return;
    }
    const following: Following = { message, cursor, stop: () => {}, link: undefined, waited: false, over: false };
    this.#following.set(message, following);
    following.stop = this.#parts.messages.watch(
      principal.tenant,
      message,
      (link) => void this.#attach(following, link),
      () => this.#wait(following),
    );
  }

  release(message: string): void {
    const following = this.#following.get(message);
    if (following) this.#drop(following);
  }

  /** Ends what a new token no longer allows. */
  recheck(principal: Principal): void {
    for (const following of [...this.#following.values()]) {
      const { link } = following;
      const allowed = link === undefined || mayUseApp(principal, link.app);
      if (allowed && hasScope(principal, 'runs:read')) continue;
      this.#fail(following, new Refusal('forbidden', 'The new token does not allow this subscription.'));
    }
  }

  close(): void {
    for (const following of [...this.#following.values()]) this.#drop(following);
  }

  #wait(following: Following): void {
    following.waited = true;
    this.#peer.send({ type: 'waiting', message_id: following.message });
  }

  async #attach(following: Following, link: MessageLink): Promise<void> {
    const { message, link: before } = following;
    const { tenant } = this.#peer.principal;
    const { run, app } = link;
    following.link = link;
    if (before) {
      following.waited = true;
      this.#runs.unfollow(message, before.run);
    }
    const superseded = (): boolean => following.over || following.link !== link;
    try {
      if (!mayUseApp(this.#peer.principal, app)) {
        throw new Refusal('forbidden', 'The token does not allow the app of this run.');
      }
      const address = { tenant, app, run };
      const cursor = await this.#cursorIn(address, following);
      if (superseded()) return;
      const attached = () => this.#peer.send({ type: 'attached', message_id: message, run, app });
      const found = await this.#runs.follow(message, address, cursor, attached);
      // Its events were removed since: there is none again.
      if (!found && !superseded()) this.#wait(following);
    } catch (error) {
      if (!superseded()) this.#fail(following, refusalFor(error, this.#parts.logger, { message }));
    }
  }

  /**
   * A client that comes back has the cursor of the run that was the newest then. It counts in that run alone: in a newer
   * one it could hide the first events.
   */
  async #cursorIn(address: RunAddress, { cursor, waited }: Following): Promise<string | undefined> {
    if (waited) return CURSOR_START;
    if (cursor === undefined || cursor === CURSOR_START) return cursor;
    const { log } = this.#parts;
    const partition = partitionOfRun(address.run)!;
    const [position, ...more] = parseCursors(cursor) ?? [];
    if (position?.partition !== partition || more.length > 0) return CURSOR_START;
    const { epoch, seq } = position;
    // Of a log that is gone, or of what this one has lost: the subscription says so.
    if (epoch !== log.epoch(partition) || seq > (await log.lastSeq(partition))) return cursor;
    if (seq === 0) return CURSOR_START;
    for await (const _ of log.read(runSubjects(address), { partition, from: seq, to: seq, batch: 1 })) return cursor;
    return CURSOR_START;
  }

  #fail(following: Following, refusal: Refusal): void {
    this.#peer.error(refusal, { message_id: following.message });
    this.#drop(following);
  }

  #drop(following: Following): void {
    const { message, link } = following;
    following.over = true;
    following.stop();
    if (this.#following.get(message) === following) this.#following.delete(message);
    if (link) this.#runs.unfollow(message, link.run);
  }
}

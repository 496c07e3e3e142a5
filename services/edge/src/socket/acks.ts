import { parseCursors } from '@toolstream/proto-events';
import type { Ladder, Ledger, SlowStep } from '../feeds/ladder.ts';

/** A subscription, as far as acknowledging goes. */
export interface Acknowledging {
  /** How a client's `positions` name it. */
  readonly name: string;
  /** The last cursor that the client was sent. */
  readonly cursor: string;
  /** When the event there happened; `undefined` where that is no measure: in a replay, after a snapshot. */
  readonly emittedAt: number | undefined;
  /** Called when it comes to another step, and with `undefined` when it keeps up again. */
  lags(step: Exclude<SlowStep, 'close'> | undefined): void;
  /** Kept here by {@link Acks}. */
  ledger?: Ledger | undefined;
}

export interface AcksOptions {
  readonly ladder: Ladder;
  subscriptions(): Iterable<Acknowledging>;
  /** Milliseconds from an event to the answer that proves that the client has it. */
  onAcknowledged(lagMs: number): void;
}

/**
 * How far a client really is. What this process wrote may wait for long in buffers that it cannot see: what counts is the
 * answer to a `ping` that was sent behind it. A `pong` proves that everything before its ping was read; `positions` in it
 * are the stricter figure, of what the client has applied. A ping goes out where anything was sent since the one before,
 * one at a time and at most one per `foldMs`, so all this costs a moment per client and second and nothing per event.
 *
 * Lag is the time since the oldest ping behind something that is not acknowledged. A client that has never answered a ping
 * is not judged by this.
 */
export class Acks {
  readonly #options: AcksOptions;
  #pingedAt = Number.NEGATIVE_INFINITY;
  #outstanding = false;
  #answers = false;

  constructor(options: AcksOptions) {
    this.#options = options;
  }

  /** Whether a ping would tell something. */
  due(now: number): boolean {
    if (this.#outstanding || now - this.#pingedAt < this.#options.ladder.foldMs) return false;
    for (const subscription of this.#options.subscriptions()) {
      const ledger = this.#ledger(subscription);
      if (ledger.marks.length > 0 || subscription.cursor !== ledger.marked) return true;
    }
    return false;
  }

  /** A ping was sent, behind everything that was sent so far. A heartbeat may follow one that is not answered yet. */
  pinged(now: number): void {
    if (this.#outstanding && this.#answers) return;
    this.#pingedAt = now;
    this.#outstanding = true;
    for (const subscription of this.#options.subscriptions()) {
      const ledger = this.#ledger(subscription);
      const { cursor, emittedAt } = subscription;
      if (cursor === ledger.marked) continue;
      if (!this.#answers) ledger.marks.length = 0;
      ledger.marks.push({ at: now, cursor, emittedAt });
      ledger.marked = cursor;
    }
  }

  answered(positions: Readonly<Record<string, string>> | undefined, now: number): void {
    if (!this.#outstanding) return;
    this.#outstanding = false;
    this.#answers = true;
    for (const subscription of this.#options.subscriptions()) {
      const { marks } = this.#ledger(subscription);
      const applied =
        positions && Object.hasOwn(positions, subscription.name) ? positions[subscription.name] : undefined;
      const acknowledged = marks.findLastIndex(({ cursor }) => applied === undefined || covers(applied, cursor));
      const [newest] = marks.splice(0, acknowledged + 1).slice(-1);
      if (newest?.emittedAt !== undefined) this.#options.onAcknowledged(now - newest.emittedAt);
    }
    this.judge(now);
  }

  /** Tells every subscription the step that it has come to; `close` when one of them is hopeless. */
  judge(now: number): 'ok' | 'close' {
    if (!this.#answers) return 'ok';
    const { foldMs, snapshotMs, closeMs } = this.#options.ladder;
    for (const subscription of this.#options.subscriptions()) {
      const ledger = this.#ledger(subscription);
      const [oldest] = ledger.marks;
      const lag = oldest ? now - oldest.at : 0;
      if (lag > closeMs) return 'close';
      const step = lag > snapshotMs ? 'snapshot' : lag > foldMs ? 'fold' : undefined;
      if (step === ledger.step) continue;
      ledger.step = step;
      subscription.lags(step);
    }
    return 'ok';
  }

  #ledger(subscription: Acknowledging): Ledger {
    subscription.ledger ??= { marks: [], marked: '', step: undefined };
    return subscription.ledger;
  }
}

/** Positions of another epoch, or nonsense, say nothing against what the order of the connection proves. */
function covers(applied: string, sent: string): boolean {
  if (applied === sent) return true;
  const [at, to] = [parseCursors(applied), parseCursors(sent)];
  if (!at || !to) return true;
  return to.every(({ partition, epoch, seq }) => {
    const own = at.find((position) => position.partition === partition);
    return !own || own.epoch !== epoch || own.seq >= seq;
  });
}

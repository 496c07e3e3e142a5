import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { evolve } from '@toolstream/domain';
import { declareStreams, type EventLog, openEventLog } from '@toolstream/event-log';
import {
  eventStream,
  isRunEnded,
  partitionOfRun,
  querySubject,
  type RunAddress,
  type RunState,
  runSubjects,
  type ToolstreamEvent,
} from '@toolstream/proto-events';
import { Gate } from './gate.ts';
import { sleep } from './random.ts';

interface Acknowledged {
  readonly seq: number;
  readonly event: ToolstreamEvent;
  readonly epoch: string;
}

/**
 * The log of a world with everything that may be done to it, and the projection's answers: rows are folded from what was
 * acknowledged, so that a purged run still has its state, as it has in the product. Acknowledgements overtake each other
 * where answers are lost; a row holds every event up to its position all the same.
 */
export class Store {
  readonly log: EventLog;
  readonly partitions: number;
  readonly #nc: NatsConnection;
  readonly #gate = new Gate();
  readonly #rows = new Map<string, { state: RunState; epoch: string }>();
  readonly #highest: number[];
  /** Per partition, by sequence: acknowledged, but one that is under way may lie before it. */
  readonly #waiting: Acknowledged[][];
  /** Per append under way: the highest sequence known when it began; its own will be higher. */
  readonly #underWay = new Map<object, { partition: number; after: number }>();
  #answers = true;
  /** Epochs of streams that were made anew, and when. */
  readonly gone = new Map<string, number>();

  static async open(nc: NatsConnection, partitions: number): Promise<Store> {
    await declareStreams(nc, { mode: 'create', partitions });
    const store = new Store(nc, await openEventLog(nc, { partitions }), partitions);
    store.#serve('run', (query) => store.#row(query as { tenant: string; run: string }));
    store.#serve('runs', (query) => store.#page(query as { tenant: string; app?: string; limit?: number }));
    store.#serve('positions', () => ({ positions: store.#positions() }));
    await nc.flush();
    return store;
  }

  private constructor(nc: NatsConnection, log: EventLog, partitions: number) {
    this.#nc = nc;
    this.log = log;
    this.partitions = partitions;
    this.#highest = new Array<number>(partitions).fill(0);
    this.#waiting = Array.from({ length: partitions }, () => []);
  }

  /** Without answers the edge folds from the log alone. */
  set projectionAnswers(answers: boolean) {
    this.#answers = answers;
  }

  epochOf(run: string): string {
    return this.log.epoch(partitionOfRun(run)!);
  }

  /** Nobody changes the streams while `work` runs. */
  undisturbed<T>(work: () => Promise<T>): Promise<T> {
    return this.#gate.shared(work);
  }

  /** Inside {@link undisturbed} only. */
  async append(run: RunAddress, event: ToolstreamEvent, expected: number): Promise<number> {
    const partition = partitionOfRun(run.run)!;
    const token = {};
    this.#underWay.set(token, { partition, after: this.#highest[partition]! });
    try {
      const seq = await this.log.append({ run, event, expected });
      this.#highest[partition] = Math.max(this.#highest[partition]!, seq);
      const waiting = this.#waiting[partition]!;
      const at = waiting.findLastIndex((other) => other.seq < seq) + 1;
      waiting.splice(at, 0, { seq, event, epoch: this.log.epoch(partition) });
      return seq;
    } finally {
      this.#underWay.delete(token);
      this.#project(partition);
    }
  }

  #project(partition: number): void {
    const waiting = this.#waiting[partition]!;
    const position = this.#position(partition);
    while (waiting[0] && waiting[0].seq <= position) {
      const { seq, event, epoch } = waiting.shift()!;
      const state = evolve(this.#rows.get(event.runid)?.state, { event, seq });
      if (state) this.#rows.set(event.runid, { state, epoch });
    }
  }

  /** Before the run is written again into a new incarnation. */
  forget(run: string): void {
    this.#rows.delete(run);
  }

  /** `below` is asked while nobody changes the stream; nothing is purged for 0. */
  purgeRun(run: RunAddress, below: () => number): Promise<number> {
    return this.#purge(partitionOfRun(run.run)!, below, { filter: runSubjects(run) });
  }

  purgeStream(partition: number, below: () => number): Promise<number> {
    return this.#purge(partition, below, {});
  }

  /** The stream is deleted and made anew: another epoch, and nothing in it. */
  async recreate(partition: number): Promise<void> {
    await this.#gate.alone(async () => {
      const jsm = await jetstreamManager(this.#nc, { checkAPI: false });
      this.gone.set(this.log.epoch(partition), performance.now());
      await jsm.streams.delete(eventStream(partition));
      await declareStreams(this.#nc, { mode: 'create', partitions: this.partitions });
      await this.log.refreshEpochs();
      this.#highest[partition] = 0;
      this.#waiting[partition] = [];
    });
  }

  async #purge(partition: number, below: () => number, of: { filter?: string }): Promise<number> {
    const jsm = await jetstreamManager(this.#nc, { checkAPI: false });
    return this.#gate.shared(async () => {
      const seq = below();
      if (seq === 0) return seq;
      // What the rows do not hold yet is nowhere else.
      while (this.#position(partition) < seq - 1) await sleep(5);
      const how = { ...of, seq } as { filter: string; seq: number };
      for (let tries = 1; ; tries++) {
        try {
          await jsm.streams.purge(eventStream(partition), how);
          return seq;
        } catch (error) {
          // NATS may be away just now.
          if (tries === 10) throw error;
          await sleep(300);
        }
      }
    });
  }

  #serve(name: string, answer: (query: unknown) => unknown): void {
    this.#nc.subscribe(querySubject(name), {
      callback: (error, message) => {
        if (error || !this.#answers) return;
        message.respond(JSON.stringify(answer(message.json())));
      },
    });
  }

  #row({ tenant, run }: { tenant: string; run: string }): unknown {
    const row = this.#rows.get(run);
    if (!row || row.state.tenant !== tenant) return { found: false };
    const { tools, ...state } = row.state;
    const position = { epoch: row.epoch, partition: partitionOfRun(run)!, seq: row.state.seq };
    return { found: true, position, state, tools };
  }

  #page({ tenant, app, limit = 50 }: { tenant: string; app?: string; limit?: number }): unknown {
    const live = [...this.#rows.values()].filter(
      ({ state }) => state.tenant === tenant && state.app === app && !isRunEnded(state.status),
    );
    const runs = live.slice(0, limit).map(({ state, epoch }) => ({
      run_id: state.run_id,
      app: state.app,
      status: state.status,
      cursor: `${epoch}.${partitionOfRun(state.run_id)}:${state.seq}`,
      accepted_at: state.accepted_at,
      tools_total: state.tools.length,
      tools_ended: 0,
    }));
    return { runs };
  }

  #positions(): { epoch: string; partition: number; seq: number }[] {
    return this.#highest.map((_, partition) => {
      return { epoch: this.log.epoch(partition), partition, seq: this.#position(partition) };
    });
  }

  /** Nothing that is under way can come before this. */
  #position(partition: number): number {
    const bounds = [...this.#underWay.values()].filter((append) => append.partition === partition);
    return Math.min(this.#highest[partition]!, ...bounds.map(({ after }) => after));
  }
}

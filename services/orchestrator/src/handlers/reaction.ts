import type { Delivered } from '@toolstream/event-log';
import { RUN_END_TYPES, type RunAddress } from '@toolstream/proto-events';
import type { ForeignWork } from '../runs/foreign-work.ts';
import type { Arrived, LiveRun } from '../runs/live-run.ts';

/** Deliveries that came together and are acknowledged together. */
export class Batch {
  readonly done = Promise.withResolvers<void>();
  #left: number;
  #failure: { error: unknown } | undefined;

  constructor(size: number) {
    this.#left = size;
    if (size === 0) this.done.resolve();
  }

  finished(failure?: { error: unknown }): void {
    this.#failure ??= failure;
    if (--this.#left > 0) return;
    if (this.#failure) this.done.reject(this.#failure.error);
    else this.done.resolve();
  }
}

/** A delivered event on its way through the reaction. */
export interface Reaction {
  readonly message: Delivered;
  readonly address: RunAddress;
  /** The uninterrupted feed that it came in. */
  readonly feed: number;
  readonly batch: Batch;
  /** Set when it is folded. */
  arrived: Arrived | undefined;
  /** Another orchestrator appended it just now. */
  foreign: boolean;
}

/** The reactions that a run waits for. */
export interface Pending {
  readonly run: LiveRun;
  /** Not looked at yet. */
  reactions: Reaction[];
  /** Folded, and left to another orchestrator for the moment. */
  deferred: Reaction[];
  scheduled: boolean;
  foreign: ForeignWork | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** Events after which nothing new may run; every other one may make something due. */
const MAKES_NOTHING_DUE: ReadonlySet<string> = new Set([
  'run.command_noted.v1',
  'tool.queued.v1',
  'tool.started.v1',
  'tool.checkpointed.v1',
  'tool.cancel_acknowledged.v1',
  'tool.retry_scheduled.v1',
  'tool.approval_requested.v1',
  ...RUN_END_TYPES,
]);

/** Whether an event may make something due. */
export const mayMakeDue = (message: Delivered): boolean => !MAKES_NOTHING_DUE.has(message.type);

/** Whether the base lacks nothing below this event. */
export function continues(run: LiveRun, { message, feed }: Reaction): boolean {
  if (!run.base) return message.type === 'run.accepted.v1';
  return message.seq <= run.base.seq || feed === run.feed;
}

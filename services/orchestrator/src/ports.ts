import type { EventLog } from '@toolstream/event-log';
import type { DeadLetter, Job, MessageLink, Redriven } from '@toolstream/proto-events';
import type { Artifacts } from '@toolstream/stores';

/** What this service needs of the log of events, jobs and timers. Tests put hooks around it; nothing replaces it. */
export type RunLog = Pick<
  EventLog,
  'append' | 'cursor' | 'lastOf' | 'partitions' | 'publishJob' | 'publishTimer' | 'read' | 'readRun'
>;

/** The present, ids and chance: read here and nowhere else. */
export interface Present {
  now(): string;
  random(): number;
  /** Never the same twice, in whatever process. */
  eventId(): string;
  /** `toolstream/<instance>`: the source of every event written here. */
  readonly source: string;
}

/** Wakes executors; carries no truth. */
export type Signal = (tenant: string, run: string) => void;

/** Which run is a message's newest, for those who watch a message before its run exists. */
export interface MessageLinks {
  /** Resolves once this link or one of a newer run is stored. */
  write(tenant: string, message: string, link: MessageLink): Promise<void>;
}

/** Values too large for an event: an artifact stands for them. */
export type LargeValues = Pick<Artifacts, 'putJsonIfLarge' | 'resolve'>;

/** Timers that wait for something that cannot happen any more. */
export interface TimerStore {
  /** In the background and without a guarantee: a timer that fires all the same is refused by the state. */
  retire(timerId: string, seq: number | undefined): void;
}

/** Jobs that exhausted their deliveries, where these left them. */
export interface DeadJobs {
  /** The job at this place of its stream; `undefined` when it is gone, or no job. */
  find(seq: number): Promise<Job | undefined>;
  /** Takes it out of the queue's stream, where it would stay for ever. */
  remove(seq: number): Promise<void>;
}

export interface KeptDeadLetter {
  readonly letter: DeadLetter;
  readonly revision: number;
  readonly expiresAt: string;
}

export interface DeadLetterSearch {
  readonly tenant: string;
  readonly apps: '*' | readonly string[];
  readonly limit: number;
  /** The `next` of the page before. */
  readonly before?: number | undefined;
}

export interface DeadLetterPage {
  readonly letters: readonly KeptDeadLetter[];
  readonly next?: number;
}

/** Dead jobs kept aside, for a time, for whoever looks into them or runs their calls again. */
export interface DeadLetters {
  /** Keeps what is not kept yet: one that was redriven already stays so. */
  keep(dead: DeadLetter): Promise<void>;
  get(tenant: string, id: string): Promise<KeptDeadLetter | undefined>;
  /** The most recently changed first. */
  search(search: DeadLetterSearch): Promise<DeadLetterPage>;
  /** Notes what a redrive led to. Of several at once the first counts; returns that one. */
  mark(kept: KeptDeadLetter, redriven: Redriven): Promise<Redriven>;
}

import type { EventLog } from '@toolstream/event-log';
import type { Job, MessageLink } from '@toolstream/proto-events';
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

export interface DeadJob {
  readonly job: Job;
  readonly reason: 'max_deliveries' | 'terminated';
  readonly message: string;
  readonly deliveries: number;
  readonly at: string;
}

/** Jobs that exhausted their deliveries, kept for whoever looks into them or sends them out again. */
export interface DeadJobs {
  /** The job at this place of its stream; `undefined` when it is gone, or no job. */
  find(seq: number): Promise<Job | undefined>;
  keep(dead: DeadJob): Promise<void>;
  /** Takes it out of the queue's stream, where it would stay for ever. */
  remove(seq: number): Promise<void>;
}

import type { Principal } from '../auth/principal.ts';
import type { Services } from '../services.ts';
import type { CableMessage } from './messages.ts';
import type { CableQueue } from './outlet.ts';
import type { PastStates } from './past-states.ts';
import type { ControlFrame } from './wire.ts';

export type HostServices = Pick<
  Services,
  'artifacts' | 'config' | 'feeds' | 'log' | 'logger' | 'messages' | 'metrics' | 'orchestrator' | 'reader'
>;

/** A connection, as its channels see it. */
export interface CableHost {
  readonly services: HostServices;
  readonly past: PastStates;
  readonly principal: Principal;
  readonly protocol: string;
  /** The client's queue. */
  readonly outlet: CableQueue;
  readonly closed: boolean;
  send(frame: ControlFrame): void;
  /** A message that stands for no position. */
  say(identifier: string, message: CableMessage): void;
  /** What the channel is about is gone. */
  reject(identifier: string): void;
  /** Something of ours failed. */
  fault(error: unknown, identifier: string): void;
}

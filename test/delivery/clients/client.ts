import type { RunState } from '@toolstream/proto-events';
import type { Line } from '../proxy.ts';
import type { Recorder } from '../record.ts';
import type { Truth } from '../truth.ts';

/** What the scenario tells a client to do in the middle of things; who cannot do it ignores it. */
export type Deed =
  /** Subscribes again although nothing is missing. */
  | { readonly do: 'repeat'; readonly from: 'here' | 'earlier' | 'start' | 'nothing' | 'future' | 'foreign' }
  | { readonly do: 'away'; readonly forMs: number }
  | { readonly do: 'leave'; readonly forMs: number }
  | { readonly do: 'refresh' };

export interface DeliveryClient {
  readonly name: string;
  readonly recorder: Recorder;
  readonly line: Line;
  readonly topics: readonly string[];
  start(): void;
  act(deed: Deed): void;
  /** Everything that the log holds has arrived, or was refused for good where the log lost it. */
  isCaughtUp(truth: Truth): boolean;
  /** What it believes of a run; `undefined` where it knows nothing of it. */
  stateOf(topic: string, run: string): RunState | undefined;
  /** What its own logic found wrong. */
  readonly complaints: string[];
  stop(): Promise<void>;
}

export type FirstCursor = 'start' | 'nothing' | 'foreign';
export const FOREIGN_CURSOR = 'Zm9yZWln.0:7';
export const firstCursor = (first: FirstCursor): string | undefined =>
  first === 'nothing' ? undefined : first === 'start' ? 'start' : FOREIGN_CURSOR;

import type { Json } from '@toolstream/proto-events';
import { z } from 'zod';
import { Frame } from '../feeds/frame.ts';
import { Refusal } from '../problems.ts';
import { requireShallow } from '../requests/json.ts';

export const V1 = 'actioncable-v1-json';
export const EXT = 'actioncable-v1-ext-json';
export const CABLE_PROTOCOLS: readonly string[] = [V1, EXT];

/** Frames about the connection and its subscriptions. Data frames have no `type`: see `voice.ts`. */
export type ControlFrame =
  | { type: 'welcome'; sid?: string; restored?: true; restored_ids?: readonly string[] }
  | { type: 'ping'; message: number }
  | { type: 'pong' }
  | { type: 'confirm_subscription' | 'reject_subscription'; identifier: string }
  | { type: 'confirm_history' | 'reject_history'; identifier: string }
  | { type: 'presence'; identifier: string; message: { type: 'error' } }
  | { type: 'disconnect'; reason: string; reconnect: boolean };

export const controlFrame = (frame: ControlFrame): Frame => Frame.text(JSON.stringify(frame));

const stream = z.object({ offset: z.number(), epoch: z.string().max(64) });
const history = z.object({ streams: z.record(z.string().max(512), stream).default({}) });
/** Where a client says that it stands, in each stream that it has seen. */
export type History = z.infer<typeof history> | 'malformed';

const command = z.object({
  command: z.string(),
  identifier: z.string().optional(),
  data: z.unknown().optional(),
  history: z.unknown().optional(),
});

export interface CableCommand {
  readonly command: string;
  readonly identifier: string | undefined;
  readonly data: unknown;
  /** Absent: it did not ask for any. */
  readonly history: History | undefined;
}

/** `undefined`: nothing that a client of either protocol sends. */
export function readCommand(text: string): CableCommand | undefined {
  const parsed = command.safeParse(shallowJson(text));
  if (!parsed.success) return undefined;
  const { command: name, identifier, data, history: asked } = parsed.data;
  return { command: name, identifier, data, history: asked === undefined ? undefined : readHistory(asked) };
}

function readHistory(asked: unknown): History {
  const parsed = history.safeParse(asked);
  return parsed.success ? parsed.data : 'malformed';
}

/** The parameters of a `message` command: JSON within a JSON string. */
export function readAction(data: unknown): { action: string; params: Record<string, Json> } | undefined {
  const value = typeof data === 'string' ? shallowJson(data) : undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { action, ...params } = value as Record<string, Json>;
  return typeof action === 'string' ? { action, params } : undefined;
}

function shallowJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    requireShallow(value, 'frame');
    return value;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Refusal) return undefined;
    throw error;
  }
}

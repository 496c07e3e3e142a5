import type { ServerFrame } from '@toolstream/proto-events';

/**
 * Reads a frame that the service sent. Frames come from a service that speaks this contract, so this checks what the
 * client stands on and leaves the rest; `undefined` for what is no frame, or of a type that is newer than this client.
 */
export function readFrame(data: unknown): ServerFrame | undefined {
  if (typeof data !== 'string') return undefined;
  let frame: Record<string, unknown>;
  try {
    frame = JSON.parse(data) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (!isObject(frame) || typeof frame.type !== 'string') return undefined;
  if (!Object.hasOwn(STRINGS, frame.type)) return undefined;
  if (!STRINGS[frame.type as ServerFrame['type']].every((key) => typeof frame[key] === 'string')) return undefined;
  if (frame.type === 'event' && !isObject(frame.event)) return undefined;
  if (frame.type === 'snapshot' && !isObject(frame.state)) return undefined;
  return frame as unknown as ServerFrame;
}

const STRINGS: Record<ServerFrame['type'], readonly string[]> = {
  welcome: ['session'],
  snapshot: ['cursor', 'reason'],
  event: ['run', 'cursor', 'prev'],
  caught_up: ['cursor'],
  end: ['run', 'cursor', 'status'],
  waiting: ['message_id'],
  attached: ['message_id', 'run', 'app'],
  ack: ['id', 'cursor'],
  ping: [],
  error: ['code', 'message'],
  bye: ['reason'],
};

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

import { type ClientFrame, clientFrames, type ErrorCode } from '@toolstream/proto-events';
import { z } from 'zod';
import { Refusal } from '../problems.ts';
import { requireShallow } from '../requests/json.ts';
import type { About } from './peer.ts';

export type ReadFrame =
  | { readonly ok: true; readonly frame: ClientFrame }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly type?: string;
      readonly id?: string;
    };

/** Reads what a client sent; nothing in it is trusted. */
export function readClientFrame(text: string): ReadFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
    requireShallow(value, 'frame');
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: 'bad_frame', message: error.message };
    return { ok: false, code: 'bad_json', message: 'The frame is not JSON.' };
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') {
    return { ok: false, code: 'bad_frame', message: 'A frame is an object with a type.' };
  }
  const { type } = value;
  const id = 'id' in value && typeof value.id === 'string' ? { id: value.id.slice(0, 128) } : {};
  if (!Object.hasOwn(clientFrames, type)) {
    const known = Object.keys(clientFrames).join(', ');
    return { ok: false, code: 'unknown_frame', message: `No such frame type; there are ${known}.`, type, ...id };
  }
  const parsed = clientFrames[type as keyof typeof clientFrames].safeParse(value);
  if (parsed.success) return { ok: true, frame: parsed.data as ClientFrame };
  return { ok: false, code: 'bad_frame', message: z.prettifyError(parsed.error), type, ...id };
}

/** What an answer to a frame is about. */
export function aboutOf(frame: ClientFrame): About {
  return {
    ...('id' in frame ? { id: frame.id } : {}),
    ...('run' in frame && frame.run !== undefined ? { run: frame.run } : {}),
    ...('app' in frame && frame.app !== undefined ? { app: frame.app } : {}),
    ...('message_id' in frame && frame.message_id !== undefined ? { message_id: frame.message_id } : {}),
  };
}

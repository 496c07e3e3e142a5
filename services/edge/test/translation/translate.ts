import type { Json, ServerFrame } from '@toolstream/proto-events';
import { Frame } from '../../src/feeds/frame.ts';
import { TranslatingOutlet } from '../../src/translation/outlet.ts';
import type { Translator } from '../../src/translation/translator.ts';

export interface Translated {
  /** The answer's body. */
  readonly body: string;
  /** The frames that were not needed any more: the stream was over before them. */
  readonly left: readonly ServerFrame[];
}

/** Puts frames through the very outlet that stands between a subscription and a client. */
export async function translate(
  translator: Translator,
  frames: Iterable<ServerFrame>,
  resolve: (value: Json) => Promise<Json> = async (value) => value,
): Promise<Translated> {
  const lines: Buffer[] = [];
  let over = false;
  let room = Promise.withResolvers<void>();
  const outlet = new TranslatingOutlet({
    translator,
    queue: { congested: false, write: ({ sse }) => void lines.push(sse) },
    resolve,
    onRoom: () => room.resolve(),
    onOver: () => {
      over = true;
      room.resolve();
    },
    onFault: (error) => {
      throw error;
    },
  });
  const left: ServerFrame[] = [];
  for (const frame of frames) {
    if (over) {
      left.push(frame);
      continue;
    }
    room = Promise.withResolvers();
    outlet.write(Frame.of(frame));
    if (outlet.congested) await room.promise;
  }
  if (!over) lines.push(outlet.farewell({ code: 'unavailable', message: 'This edge is shutting down.', retryMs: 10 }));
  return { body: Buffer.concat(lines).toString(), left };
}

export const messagesOf = (body: string): unknown[] =>
  body
    .split('\n\n')
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map((line) => JSON.parse(line.slice('data: '.length)));

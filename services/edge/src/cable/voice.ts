import { createHash } from 'node:crypto';
import { Frame } from '../feeds/frame.ts';
import { offsetOf } from './offsets.ts';
import type { Target } from './target.ts';
import type { Words } from './words.ts';

/** Writes words as one client's protocol has them: complete WebSocket messages. `undefined`: nothing to send. */
export interface Voice {
  say(words: Words): Buffer | undefined;
}

/** Identifiers are the client's choice, so only some forms of one frame are kept. */
const FORMS_KEPT = 8;
const forms = new WeakMap<Words, Map<string, Buffer>>();

/** The form of these words under this key, made once for all clients that share it. */
function shared(words: Words, key: string, make: () => Buffer): Buffer {
  let known = forms.get(words);
  if (!known) {
    known = new Map();
    forms.set(words, known);
  }
  let form = known.get(key);
  if (!form) {
    form = make();
    if (known.size < FORMS_KEPT) known.set(key, form);
  }
  return form;
}

const joined = (texts: readonly string[]): Buffer => Buffer.concat(texts.map((text) => Frame.text(text).ws));

export function v1Voice(identifier: string): Voice {
  const head = `{"identifier":${JSON.stringify(identifier)},"message":`;
  return {
    say(words) {
      if (words.messages.length === 0) return undefined;
      return shared(words, identifier, () => joined(words.messages.map((message) => `${head}${message}}`)));
    },
  };
}

/**
 * Every message that stands for a position carries its stream, epoch and offset. Within a stream offsets only grow: what
 * the client has is not said again, so it never counts itself further back, or further ahead, than it is.
 */
export class ExtVoice implements Voice {
  readonly #head: string;
  readonly #nameOf: (partition: number) => string;
  readonly #streams = new Map<number, string>();
  /** Per partition the last offset that the client has. */
  readonly #last = new Map<number, { readonly epoch: string; readonly offset: number }>();

  constructor(identifier: string, stream: (partition: number) => string) {
    this.#head = `{"identifier":${JSON.stringify(identifier)},"message":`;
    this.#nameOf = stream;
  }

  /** The client has everything up to this offset. */
  heard(partition: number, epoch: string, offset: number): void {
    this.#last.set(partition, { epoch, offset });
  }

  say(words: Words): Buffer | undefined {
    const { messages, at } = words;
    if (messages.length === 0) return undefined;
    const offsets = offsetsOf(words);
    const last = this.#advance(at.partition, at.epoch, offsets.at(-1));
    const first = offsets.find((offset) => offset !== undefined);
    if (first === undefined || first > last) {
      return shared(words, this.#head + this.#stream(at.partition), () => this.#form(words, offsets, 0));
    }
    const missing = offsets.findIndex((offset) => offset !== undefined && offset > last);
    return missing < 0 ? undefined : this.#form(words, offsets, missing);
  }

  /** Its name holds a hash: it is made once, not for every message. */
  #stream(partition: number): string {
    let name = this.#streams.get(partition);
    if (name === undefined) {
      name = this.#nameOf(partition);
      this.#streams.set(partition, name);
    }
    return name;
  }

  /** Returns the last offset before. */
  #advance(partition: number, epoch: string, offset: number | undefined): number {
    const last = this.#last.get(partition);
    const before = last?.epoch === epoch ? last.offset : 0;
    if (offset !== undefined && offset > before) this.#last.set(partition, { epoch, offset });
    return before;
  }

  #form({ messages, at }: Words, offsets: readonly (number | undefined)[], from: number): Buffer {
    const place = `"stream_id":${JSON.stringify(this.#stream(at.partition))},"epoch":${JSON.stringify(at.epoch)}`;
    const texts = messages.map((message, index) => {
      const offset = offsets[index];
      return `${this.#head}${message}${offset === undefined ? '' : `,${place},"offset":${offset}`}}`;
    });
    return joined(texts.slice(from));
  }
}

function offsetsOf({ messages, part, at }: Words): (number | undefined)[] {
  const count = messages.length;
  switch (part) {
    case 'bare':
      return messages.map(() => undefined);
    case 'changes':
      return messages.map((_, place) => (place === count - 1 ? offsetOf('event', at.seq, 0, 1) : undefined));
    default:
      return messages.map((_, place) => offsetOf(part, at.seq, place, count));
  }
}

/** Two subscriptions of one page may be about the same run, and each stands where it stands. */
export function streamName(target: Target, identifier: string, run: string, partition: number): string {
  const own = createHash('sha256').update(identifier).digest('base64url').slice(0, 8);
  switch (target.kind) {
    case 'run':
      return `run_${run}:${own}`;
    case 'message':
      return `tool_execution_${target.message}:${run}:${own}`;
    case 'app':
      return `app_${target.app}_tools:${partition}:${own}`;
  }
}

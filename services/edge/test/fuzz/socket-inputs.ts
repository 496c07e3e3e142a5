import { clientFrames, type Json } from '@toolstream/proto-events';
import type { Dice } from './dice.ts';
import { anything, mutatedBytes, mutatedJson } from './mutate.ts';
import { type FrameOptions, textFrame, wsFrame } from './raw-websocket.ts';

/** What exists, for inputs that are nearly right. */
export interface Known {
  readonly token: string;
  readonly runs: readonly string[];
  readonly apps: readonly string[];
  readonly messages: readonly string[];
  readonly cursors: readonly string[];
}

/** A frame of `/ws` that the protocol allows. */
export function goodFrame(dice: Dice, known: Known): Record<string, Json> {
  const target = dice.pick<Record<string, Json>>([
    { run: dice.pick(known.runs) },
    { app: dice.pick(known.apps) },
    { message_id: dice.pick(known.messages) },
  ]);
  const cursor = dice.chance(60) ? { cursor: dice.pick(known.cursors) } : {};
  const type = dice.pick([...Object.keys(clientFrames), 'subscribe', 'subscribe', 'command']);
  switch (type) {
    case 'hello':
      return { type, token: known.token, subscribe: [{ ...target, ...cursor }] };
    case 'subscribe':
      return { type, ...target, ...cursor };
    case 'unsubscribe':
      return { type, ...target };
    case 'command':
      return {
        type,
        id: `c${dice.int(1000)}`,
        run: dice.pick(known.runs),
        command: dice.pick(['pause', 'resume', 'cancel', 'cancel_tool', 'retry_tool', 'approve_tool', 'deny_tool']),
        args: { index: dice.int(4), reason: 'why not', arguments: { a: [1, { b: 2 }] } },
      };
    case 'pong':
      return { type, positions: { [dice.pick(known.runs)]: dice.pick(known.cursors) } };
    case 'refresh':
      return { type, token: known.token };
    default:
      return { type, ...target, ...cursor, positions: { [dice.pick(known.runs)]: dice.pick(known.cursors) } };
  }
}

/** Good traffic of another WebSocket address. */
export type Seed = (dice: Dice, known: Known) => Json;

/** One message: mutated JSON, mutated bytes, chance, or in pieces. */
export function message(dice: Dice, known: Known, seed: Seed): Buffer {
  const kind = dice.int(100);
  if (kind < 60) return textFrame(stringified(mutatedJson(dice, seed(dice, known))));
  if (kind < 66) return textFrame(stringified(seed(dice, known)));
  if (kind < 74) return textFrame(stringified(anything(dice)));
  if (kind < 80) return textFrame(dice.text(dice.int(60)));
  if (kind < 90) {
    const text = mutatedBytes(dice, Buffer.from(stringified(seed(dice, known)))).toString();
    return textFrame(text);
  }
  if (kind < 94) return wsFrame(mutatedBytes(dice, Buffer.from(stringified(seed(dice, known)))), { opcode: 2 });
  if (kind < 96) return wsFrame(dice.bytes(dice.int(125)), { opcode: dice.pick([9, 10]) });
  return inPieces(dice, Buffer.from(stringified(mutatedJson(dice, seed(dice, known)))));
}

/** JSON of other producers: lone surrogates escaped or not, `-0`, whatever. */
const stringified = (value: Json): string => JSON.stringify(value);

/** A message in fragments, with a control frame in between. */
function inPieces(dice: Dice, whole: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0, first = true; ; first = false) {
    const to = Math.min(whole.length, at + 1 + dice.int(20));
    const fin = to === whole.length;
    pieces.push(wsFrame(whole.subarray(at, to), { fin, opcode: first ? 1 : 0 }));
    if (fin) return Buffer.concat(pieces);
    if (dice.chance(20)) pieces.push(wsFrame(Buffer.from('!'), { opcode: 9 }));
    at = to;
  }
}

/** What no WebSocket client may send: the connection does not survive most of it. */
export function violation(dice: Dice, known: Known): Buffer {
  const some = Buffer.from(JSON.stringify(goodFrame(dice, known)));
  const broken = (payload: Buffer, options: FrameOptions): Buffer => wsFrame(payload, options);
  switch (dice.int(12)) {
    case 0:
      return broken(some, { opcode: dice.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) });
    case 1:
      return broken(some, { rsv: 1 + dice.int(7) });
    case 2:
      return broken(some, { masked: false });
    case 3:
      return broken(some, { length: dice.pick([2n ** 63n - 1n, 2n ** 64n - 1n, 65_537, 2 ** 32]) });
    case 4:
      return broken(Buffer.alloc(64 * 1024 + 1 + dice.int(1000), 0x20), {});
    case 5:
      return broken(dice.bytes(20), { opcode: 9, fin: false });
    case 6:
      return broken(dice.bytes(126 + dice.int(60)), { opcode: dice.pick([8, 9, 10]) });
    case 7:
      return broken(some, { opcode: 0 });
    case 8:
      return Buffer.concat([broken(some, { fin: false }), broken(some, {})]);
    case 9:
      return broken(Buffer.concat([some, Buffer.from([0xc3, 0x28, 0xff])]), {});
    case 10: {
      const close = Buffer.from([0, 0, ...dice.bytes(dice.int(20))]);
      close.writeUInt16BE(dice.pick([0, 999, 1000, 1001, 1004, 1005, 1006, 1015, 3000, 4000, 4201, 5000, 65_535]));
      return broken(dice.chance(80) ? close : close.subarray(0, 1), { opcode: 8 });
    }
    default:
      return dice.bytes(1 + dice.int(100));
  }
}

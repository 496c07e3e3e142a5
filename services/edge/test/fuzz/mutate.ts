import type { Json } from '@toolstream/proto-events';
import type { Dice } from './dice.ts';

const NUMBERS = [0, -0, -1, 1, 255, 256, 2 ** 31, 2 ** 53, 1e308, -1e308, 1e-320, 0.1, Number.MAX_SAFE_INTEGER + 2];
const WORDS = [
  ...['', '.', '*', '>', ' ', '\u0000', '../..', 'start', 'null', '__proto__', 'constructor', 'toString', '$ref'],
  ...['0-', '0-0', '9999-01ARZ3NDEKTSV4RRFFQ69G5FAV', '0-01ARZ3NDEKTSV4RRFFQ69G5FAV', 'a'.repeat(65), 'a'.repeat(5000)],
  ...['ts.evt.>', 'e.0:1', 'e.0:1,e.0:2', '.0:0', 'e.99:999999999999999', 'e.0:-1', 'e.0:1e3', ','.repeat(200), 'Ａ'],
];
const KEYS = ['__proto__', 'constructor', 'type', 'run', 'app', 'message_id', 'cursor', 'token', 'id', 'args', 'x', ''];

/** A value with one thing or several changed: other types, odd members, missing ones, too many, too deep. */
export function mutatedJson(dice: Dice, value: Json, strength = 1 + dice.int(3)): Json {
  let mutated = value;
  for (let i = 0; i < strength; i++) mutated = changed(dice, mutated);
  return mutated;
}

function changed(dice: Dice, value: Json): Json {
  if (Array.isArray(value) && value.length > 0 && dice.chance(80)) {
    const at = dice.int(value.length);
    switch (dice.int(4)) {
      case 0:
        return value.filter((_, i) => i !== at);
      case 1:
        return [...value, ...value];
      case 2:
        return value.map((item, i) => (i === at ? anything(dice) : item));
      default:
        return value.map((item, i) => (i === at ? changed(dice, item) : item));
    }
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && dice.chance(85)) {
    const entries = Object.entries(value);
    const at = dice.int(Math.max(1, entries.length));
    const [name = 'x', member = null] = entries[at] ?? [];
    const others = entries.filter((_, i) => i !== at);
    switch (dice.int(6)) {
      case 0:
        return object(others);
      case 1:
        return object([...others, [dice.pick(KEYS), member]]);
      case 2:
        return object([...entries, [dice.pick(KEYS), anything(dice)]]);
      case 3:
        return object([...others, [name, anything(dice)]]);
      default:
        return object([...others, [name, changed(dice, member)]]);
    }
  }
  if (typeof value === 'string' && value !== '' && dice.chance(60)) return mutatedText(dice, value);
  return anything(dice);
}

/** `fromEntries` defines members, so `__proto__` is one like any other. */
const object = (entries: readonly (readonly [string, Json])[]): Json => Object.fromEntries(entries);

export function anything(dice: Dice): Json {
  switch (dice.int(9)) {
    case 0:
      return dice.pick(NUMBERS);
    case 1:
      return dice.pick(WORDS);
    case 2:
      return dice.text(dice.int(20));
    case 3:
      return dice.pick([null, true, false]);
    case 4:
      return Array.from({ length: dice.int(5) }, () => dice.pick(WORDS));
    case 5:
      return { [dice.pick(KEYS)]: dice.pick(WORDS) };
    case 6:
      return deep(dice.pick([5, 127, 128, 129, 3000]), dice.chance(50));
    case 7:
      return dice.int(2 ** 32) - 2 ** 31;
    default:
      return dice.pick(['text', 7, [], {}]);
  }
}

function deep(levels: number, arrays: boolean): Json {
  let value: Json = 1;
  for (let i = 0; i < levels; i++) value = arrays ? [value] : { a: value };
  return value;
}

/** A text with characters changed, removed, doubled, moved or replaced by odd ones. */
export function mutatedText(dice: Dice, text: string): string {
  const at = dice.int(text.length + 1);
  const to = Math.min(text.length, at + dice.int(8));
  switch (dice.int(7)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + dice.text(1 + dice.int(4)) + text.slice(at);
    case 2:
      return text.slice(0, to) + text.slice(at);
    case 3:
      return text.slice(at) + text.slice(0, at);
    case 4:
      return text.slice(0, at);
    case 5:
      return text.slice(0, at) + dice.pick(WORDS) + text.slice(to);
    default:
      return text.replace(/\d/g, () => String(dice.int(10)));
  }
}

export function mutatedBytes(dice: Dice, bytes: Buffer): Buffer {
  const at = dice.int(bytes.length + 1);
  switch (dice.int(5)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      for (let i = 0; i <= dice.int(4) && flipped.length > 0; i++)
        flipped[dice.int(flipped.length)]! ^= 1 << dice.int(8);
      return flipped;
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, at), dice.bytes(1 + dice.int(8)), bytes.subarray(at)]);
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes, bytes.subarray(at)]);
    default:
      return dice.bytes(dice.int(64));
  }
}

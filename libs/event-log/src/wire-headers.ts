import type { MsgHdrs } from '@nats-io/nats-core';

const encoder = new TextEncoder();
const LINE_BREAK = /[\r\n]/;

/**
 * Headers already in wire form. A publish asks its headers for nothing but their bytes, and building them through
 * the client's own class costs several times what the rest of an append costs (see the README for figures).
 */
class WireHeaders {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  encode(): Uint8Array {
    return encoder.encode(this.#text);
  }
}

/** Pairs with an undefined value are left out. Throws where a value would break out of its line. */
export function wireHeaders(pairs: readonly (readonly [name: string, value: string | number | undefined])[]): MsgHdrs {
  let text = 'NATS/1.0\r\n';
  for (const [name, value] of pairs) {
    if (value === undefined) continue;
    if (typeof value === 'string' && LINE_BREAK.test(value)) {
      throw new TypeError(`header ${name} must not contain a line break: ${JSON.stringify(value)}`);
    }
    text += `${name}: ${value}\r\n`;
  }
  return new WireHeaders(`${text}\r\n`) as unknown as MsgHdrs;
}

const decoder = new TextDecoder();

/** Reads a header block with nothing but the lookups that a reader of events makes: exact names, first value. */
export function parseWireHeaders(block: Uint8Array): { get(name: string): string } {
  const text = decoder.decode(block);
  return {
    get: (name) => {
      const start = text.indexOf(`\r\n${name}:`);
      if (start < 0) return '';
      const from = start + name.length + 3;
      const end = text.indexOf('\r\n', from);
      return text.slice(from, end < 0 ? undefined : end).trim();
    },
  };
}

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

/** Reads a header block as the server stores it. */
export function parseWireHeaders(block: Uint8Array): [name: string, values: string[]][] {
  const lines = decoder.decode(block).split('\r\n').slice(1);
  return lines.flatMap((line): [string, string[]][] => {
    const colon = line.indexOf(':');
    return colon < 0 ? [] : [[line.slice(0, colon), [line.slice(colon + 1).trim()]]];
  });
}

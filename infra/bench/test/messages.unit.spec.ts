import { describe, expect, it } from 'vitest';
import { clientMessage, MessageReader, PING, TEXT } from '../src/messages.ts';

/** As a server sends it: without a mask. */
function serverMessage(payload: Buffer, opcode = TEXT): Buffer {
  const masked = clientMessage(payload, opcode);
  const mask = masked.length - payload.length - 4;
  const message = Buffer.concat([masked.subarray(0, mask), payload]);
  message[1] = message[1]! & 0x7f;
  return message;
}

describe('the reader of what a server sends', () => {
  const short = [0, 5, 125, 126, 300];
  const long = [...short, 65_535, 65_536, 70_000];

  it.each([
    [1, short],
    [2, short],
    [7, short],
    [1_024, long],
    [65_537, long],
    [1_000_000, long],
  ])('finds the messages in pieces of %i bytes', (size, lengths) => {
    const payloads = lengths.map((length) => Buffer.alloc(length, length % 251));
    const stream = Buffer.concat(payloads.map((payload) => serverMessage(payload)));
    const read: Buffer[] = [];
    const reader = new MessageReader((payload) => read.push(Buffer.from(payload)));
    // The piece is used again at once, as the buffer of a socket is.
    const piece = Buffer.alloc(size);
    for (let at = 0; at < stream.length; at += size) {
      const bytes = stream.copy(piece, 0, at, Math.min(stream.length, at + size));
      reader.push(piece.subarray(0, bytes));
      piece.fill(0xff);
    }
    expect(read.map((payload) => payload.length)).toEqual(payloads.map((payload) => payload.length));
    expect(read.every((payload, at) => payload.equals(payloads[at]!))).toBe(true);
    expect(reader.waiting).toBe(0);
  });

  it('tells messages from pings', () => {
    const opcodes: number[] = [];
    const reader = new MessageReader((_, opcode) => opcodes.push(opcode));
    reader.push(Buffer.concat([serverMessage(Buffer.from('x')), serverMessage(Buffer.from('y'), PING)]));
    expect(opcodes).toEqual([TEXT, PING]);
  });
});

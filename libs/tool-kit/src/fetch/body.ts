import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { responseTooLarge } from './failures.ts';

export const ACCEPTED_ENCODINGS = 'gzip, deflate, br, zstd';

const DECODERS: { readonly [coding: string]: () => Transform } = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** Undefined: a coding that we did not ask for and cannot undo. */
export function decodersFor(header: string): (() => Transform)[] | undefined {
  const codings = header
    .toLowerCase()
    .split(',')
    .flatMap((part) => (part.trim() === '' || part.trim() === 'identity' ? [] : [part.trim()]));
  // A body is compressed once. Who compresses it again wants it to unfold beyond measure.
  if (codings.length > 1) return undefined;
  const found = codings.map((coding) => (Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined));
  return found.every((make) => make !== undefined) ? found : undefined;
}

/**
 * The body, decoded piece by piece, and nothing beyond the limit: neither of what arrives nor of what it unfolds to.
 * Whoever stops reading closes the connection.
 */
export async function* boundedBody(
  raw: Readable,
  decoders: readonly (() => Transform)[],
  { limit, url }: { readonly limit: number; readonly url: URL },
): AsyncGenerator<Uint8Array> {
  const arriving = counted(raw, limit, url);
  if (decoders.length === 0) {
    yield* arriving;
    return;
  }
  const decoder = (decoders[0] as () => Transform)();
  // Errors of either side reach the reader through the decoder.
  pipeline(arriving, decoder, () => {});
  yield* counted(decoder, limit, url);
}

async function* counted(source: Readable, limit: number, url: URL): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of source as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > limit) throw responseTooLarge(url, limit);
    yield piece;
  }
}

/** The text of a page: in the encoding of its byte order mark, its header or its own `<meta>`, else UTF-8. */
export function decodePage(bytes: Uint8Array, contentType: string): string {
  const declared = /charset\s*=\s*"?([\w-]+)/i.exec(contentType)?.[1];
  const own = /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]+)/i.exec(
    Buffer.from(bytes.subarray(0, 2048)).toString('latin1'),
  );
  return decoder(byteOrderMark(bytes) ?? declared ?? own?.[1]).decode(bytes);
}

function byteOrderMark([a, b]: Uint8Array): string | undefined {
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  return a === 0xfe && b === 0xff ? 'utf-16be' : undefined;
}

function decoder(label: string | undefined): { decode(bytes: Uint8Array): string } {
  try {
    return new TextDecoder(label ?? 'utf-8');
  } catch {
    return new TextDecoder('utf-8');
  }
}

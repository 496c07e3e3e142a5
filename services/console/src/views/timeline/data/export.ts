import type { Client } from '@toolstream/client';

/**
 * The run's history as the service sends it, byte for byte. It goes piece by piece to the browser, which keeps it on disk
 * where it is large; `onBytes` says how much has come.
 */
export async function exportRun(
  client: Client,
  run: string,
  options: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<Blob> {
  const history = await client.history(run, { signal: options.signal });
  let bytes = 0;
  const counted = history.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        bytes += piece.byteLength;
        options.onBytes(bytes);
        controller.enqueue(piece);
      },
    }),
  );
  return new Response(counted, { headers: { 'content-type': 'application/x-ndjson' } }).blob();
}

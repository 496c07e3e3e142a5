import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of one request on its way to the edge. */
export type Fate =
  | { readonly kind: 'pass' }
  /** The edge never hears of it. */
  | { readonly kind: 'refuse'; readonly status: number; readonly headers?: Record<string, string> }
  /** The edge does what is asked; the connection breaks before its answer is through. */
  | { readonly kind: 'lose-answer' };

/** Stands between a client and the edge; `fate` decides over each request. */
export interface Middlebox {
  readonly url: string;
  fate: (request: IncomingMessage) => Fate;
  close(): Promise<void>;
}

export async function startMiddlebox(edge: string): Promise<Middlebox> {
  const server = createServer((incoming, answer) => {
    const fate = box.fate(incoming);
    if (fate.kind === 'refuse') {
      incoming.resume();
      answer.writeHead(fate.status, { 'content-type': 'text/html', connection: 'close', ...fate.headers });
      answer.end('<h1>Not now</h1>');
      return;
    }
    forward(edge, incoming, answer, fate.kind === 'lose-answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const box: Middlebox = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fate: () => ({ kind: 'pass' }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return box;
}

function forward(edge: string, incoming: IncomingMessage, answer: ServerResponse, lost: boolean): void {
  const { method, headers, url } = incoming;
  const onward = request(new URL(url ?? '/', edge), { method, headers }, (response) => {
    if (lost) {
      response.resume().once('end', () => answer.destroy());
      return;
    }
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  onward.once('error', () => answer.destroy());
  incoming.pipe(onward);
}

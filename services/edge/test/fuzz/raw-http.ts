import { RawSocket } from './raw-socket.ts';

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body did not end: a stream that goes on. */
  readonly lasting: boolean;
}

/** An HTTP/1.1 client that sends whatever bytes it is given, requests behind each other, and reads the answers in order. */
export class RawHttp {
  readonly responses: RawResponse[] = [];
  readonly socket: RawSocket;
  /** An answer has begun that never ends. */
  lasting = false;

  private constructor(socket: RawSocket) {
    this.socket = socket;
  }

  static async open(port: number): Promise<RawHttp> {
    let http: RawHttp | undefined;
    const socket = await RawSocket.open(port, (bytes) => http?.feed(bytes) ?? bytes);
    http = new RawHttp(socket);
    return http;
  }

  feed(bytes: Buffer): Buffer {
    let rest = bytes;
    while (!this.lasting) {
      const read = readResponse(rest);
      if (!read) break;
      const { status, lasting } = read.response;
      if (status !== 100) this.responses.push(read.response);
      if (lasting || status === 101) this.lasting = true;
      rest = rest.subarray(read.length);
    }
    return Buffer.from(this.lasting ? [] : rest);
  }
}

/** No request here is a HEAD, so an answer's own words say where it ends. */
function readResponse(bytes: Buffer): { response: RawResponse; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0);
  const start = end + 4;
  const answer = (body: string, length: number, lasting = false) => ({
    response: { status, headers, body, lasting },
    length,
  });
  if (status === 204 || status === 304 || (status >= 100 && status < 200)) return answer('', start);
  if (headers['transfer-encoding'] === 'chunked') {
    const body = chunked(bytes, start);
    if (body) return answer(body.text, body.end);
    return headers['content-type']?.startsWith('text/event-stream') ? answer('', start, true) : undefined;
  }
  const length = Number(headers['content-length'] ?? 0);
  if (bytes.length < start + length) return undefined;
  return answer(bytes.subarray(start, start + length).toString(), start + length);
}

function chunked(bytes: Buffer, from: number): { text: string; end: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = from; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    const start = line + 2;
    if (bytes.length < start + size + 2) return undefined;
    if (size === 0) return { text: Buffer.concat(parts).toString(), end: start + 2 };
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}

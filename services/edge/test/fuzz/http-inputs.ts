import type { Json } from '@toolstream/proto-events';
import type { AnyRoute } from '../../src/handlers/route.ts';
import type { Dice } from './dice.ts';
import { anything, mutatedBytes, mutatedJson, mutatedText } from './mutate.ts';
import type { Known } from './socket-inputs.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY'];
const QUERIES = [
  'cursor',
  'min_cursor',
  'at',
  'format',
  'window',
  'app',
  'status',
  'message_id',
  'limit',
  'before',
  'token',
];
/** Waits for two seconds where the cursor is nearly right. */
const SLOW_QUERIES: ReadonlySet<string> = new Set(['min_cursor']);
const LARGE: ReadonlySet<string> = new Set(['/openapi.json', '/docs', '/metrics']);

interface Request {
  method: string;
  path: string;
  headers: [name: string, value: string][];
  body: string;
}

/** A request that HTTP can read: its answer is due, and the next request may follow on the same connection. */
export function requestBytes(dice: Dice, routes: readonly AnyRoute[], known: Known): Buffer {
  const request = changed(dice, goodRequest(dice, routes, known));
  const headers = request.headers.map(([name, value]) => `${name}: ${legal(value)}`);
  const path = request.path.replace(/[^\x21-\x7e]/g, encoded).replace(/^(?!\/)/, '/');
  const body = Buffer.from(request.body);
  const lines = [`${request.method} ${path} HTTP/1.1`, 'Host: localhost', ...headers, `Content-Length: ${body.length}`];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** Bytes that may be no HTTP at all: nobody knows where the request ends. */
export function brokenBytes(dice: Dice, routes: readonly AnyRoute[], known: Known): Buffer {
  if (dice.chance(20)) return upgradeBytes(dice, known);
  const bytes = requestBytes(dice, routes, known);
  switch (dice.int(6)) {
    case 0:
      return Buffer.from(bytes.toString('latin1').replace(/Content-Length: \d+/, dice.pick(FRAMINGS)), 'latin1');
    case 1:
      return Buffer.from(
        bytes.toString('latin1').replace('HTTP/1.1', dice.pick(['HTTP/9.9', 'http/1.1', '', 'HTTP/1.0'])),
      );
    case 2:
      return Buffer.concat([Buffer.from(`GET / HTTP/1.1\r\nX: ${'a'.repeat(dice.int(40_000))}\r\n`), bytes]);
    default:
      return mutatedBytes(dice, bytes);
  }
}

/** An upgrade of which one header is not as it should be. */
function upgradeBytes(dice: Dice, known: Known): Buffer {
  const headers: [string, string][] = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ['Sec-WebSocket-Protocol', `toolstream.v1.json, anycable-token.${known.token}`],
    ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
    ['Origin', 'http://localhost:3000'],
  ];
  const at = dice.int(headers.length);
  const lines = headers.map(([name, value], i) => `${name}: ${i === at ? legal(mutatedText(dice, value)) : value}`);
  const path = dice.pick(['/ws', '/ws?ticket=abc', '/ws/', '/healthz', '/cable', '/nowhere', '/ws?ticket=%ff']);
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

const legal = (value: string): string => value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');

const FRAMINGS = [
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Content-Length: 9000000',
  'Content-Length: 0x10',
  'Content-Length: 3\r\nContent-Length: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 4',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Connection: Upgrade\r\nUpgrade: websocket',
  'Expect: 100-continue',
  'Expect: nothing',
];

function goodRequest(dice: Dice, routes: readonly AnyRoute[], known: Known): Request {
  let route = dice.pick(routes);
  // Large answers, always the same.
  if (LARGE.has(route.url) && dice.chance(95)) route = dice.pick(routes);
  const path = route.url
    .replace(/:(app|app_id)\b/g, () => dice.pick(known.apps))
    .replace(/:index\b/g, () => String(dice.int(3)))
    .replace(/:(\w+)/g, () => dice.pick(known.runs))
    .replace('*', 'src/a.ts');
  const query = QUERIES.filter((name) => dice.chance(SLOW_QUERIES.has(name) ? 1 : 12)).map((name) => {
    const value =
      name === 'token' ? known.token : dice.pick([...known.cursors, ...known.messages, 'openai', '1h', '10']);
    return `${name}=${encodeURIComponent(value)}`;
  });
  const event = route.url.endsWith('events');
  return {
    method: route.method,
    path: query.length > 0 ? `${path}?${query.join('&')}` : path,
    headers: [
      ['Authorization', `Bearer ${known.token}`],
      ['Accept', event ? dice.pick(['text/event-stream', 'application/x-ndjson']) : '*/*'],
      ...(event && dice.chance(50) ? ([['Last-Event-ID', dice.pick(known.cursors)]] as [string, string][]) : []),
      ...(route.method === 'POST' ? ([['Content-Type', 'application/json']] as [string, string][]) : []),
      ...(dice.chance(30) ? ([['Idempotency-Key', `key-${dice.int(50)}`]] as [string, string][]) : []),
      ...(dice.chance(30) ? ([['Origin', 'http://localhost:3000']] as [string, string][]) : []),
      ...(dice.chance(30)
        ? ([['traceparent', `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`]] as [string, string][])
        : []),
    ],
    body: route.method === 'POST' ? JSON.stringify(mutatedJson(dice, goodBody(dice), dice.int(3))) : '',
  };
}

function changed(dice: Dice, request: Request): Request {
  const { headers } = request;
  const at = dice.int(headers.length);
  const [name = 'Accept', value = ''] = headers[at] ?? [];
  switch (dice.int(8)) {
    case 0:
      return { ...request, method: dice.pick(METHODS) };
    case 1:
    case 2:
      return { ...request, path: mutatedText(dice, request.path) };
    case 3:
      return { ...request, body: request.body === '' ? '' : mutatedText(dice, request.body) };
    case 4:
      return { ...request, headers: headers.filter((_, i) => i !== at) };
    case 5:
      return { ...request, headers: [...headers, [name, mutatedText(dice, value)]] };
    default:
      return {
        ...request,
        headers: headers.map((header, i) => (i === at ? [name, mutatedText(dice, value)] : header)),
      };
  }
}

function goodBody(dice: Dice): Json {
  return dice.pick<Json>([
    {
      app: 'app-1',
      message_id: dice.int(10),
      mode: 'parallel',
      tool_calls: [
        { id: 'c1', type: 'function', function: { name: 'echo', arguments: '{"a":1}' } },
        { type: 'tool_use', id: 'c2', name: 'echo', input: { a: [1, 2] } },
        { id: 'c3', name: 'echo', arguments: {}, depends_on: ['c1'], timeout_ms: 1000 },
      ],
    },
    { reason: 'because', arguments: { a: 1 } },
    { from: 0 },
    anything(dice),
  ]);
}

const encoded = (char: string): string => {
  try {
    return encodeURIComponent(char);
  } catch {
    return '%';
  }
};

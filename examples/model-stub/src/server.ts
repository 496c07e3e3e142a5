import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anthropicMessages } from './anthropic.ts';
import { chatCompletions } from './chat.ts';
import { BadRequest } from './checks.ts';
import { type Dialect, type Ids, read } from './dialect.ts';
import { responses } from './responses.ts';
import type { Result, Script, SentCall, SentTurn } from './script.ts';

const DIALECTS: Readonly<Record<string, Dialect>> = {
  '/v1/chat/completions': chatCompletions,
  '/v1/responses': responses,
  '/v1/messages': anthropicMessages,
};

export interface ModelStub {
  readonly url: string;
  /** Each request's body, those refused too. */
  readonly requests: readonly unknown[];
  /** What the model was told, turn by turn. */
  readonly results: readonly (readonly Result[])[];
  stop(): Promise<void>;
}

/**
 * A model without a mind: it speaks the wire formats of OpenAI's Chat Completions and Responses APIs and of Anthropic's Messages
 * API, whole and streaming, and says what its script says. One conversation per stub. What it is asked it checks like the real
 * ones do: a call that is not answered, an answer to no call, a wrong role or shape is a 400.
 */
export async function startModelStub(script: Script): Promise<ModelStub> {
  const requests: unknown[] = [];
  const told: (readonly Result[])[] = [];
  const sent: SentTurn[] = [];
  let counter = 0;
  const ids: Ids = (prefix) => `${prefix}${Date.now().toString(36)}${(counter++).toString(36).padStart(6, '0')}`;

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const dialect = DIALECTS[new URL(request.url ?? '/', 'http://stub').pathname];
    if (request.method !== 'POST' || !dialect) return void response.writeHead(404).end('{}');
    const body = JSON.parse(await textFrom(request)) as { stream?: boolean };
    requests.push(body);
    if (!dialect.key(request.headers)) return json(response, 401, dialect.error('No API key.', 'authentication_error'));
    let results: readonly Result[];
    try {
      results = read(dialect, body, sent);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      return json(response, 400, dialect.error(error.message, 'invalid_request_error'));
    }
    const { text = '', calls = [] } = script(results, sent.length);
    const turn: SentTurn = {
      text,
      calls: calls.map(
        (call): SentCall => ({
          id: ids(dialect.callIdPrefix),
          name: call.name,
          arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
        }),
      ),
    };
    told.push(results);
    sent.push(turn);
    if (body.stream !== true) return json(response, 200, dialect.answer(turn, body, ids));
    const events = dialect.stream(turn, body, ids);
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (const { event, data } of events) {
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      response.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`);
    }
    response.end();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    results: told,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function textFrom(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

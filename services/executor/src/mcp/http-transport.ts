import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCMessage,
  StreamableHTTPClientTransport,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client';
import { within } from '@toolstream/service-kit';
import { CONNECTION_CLOSED } from './failures.ts';
import { InOrder } from './in-order.ts';

export interface HttpOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A server that does not hear that the session is over must not keep an executor from stopping: sessions lapse by themselves. */
const SESSION_END_MS = 1_000;

/**
 * Streamable HTTP. A request whose response stream ends without the response, and cannot be taken up again, is answered here
 * with an error: it would wait for ever.
 */
export class HttpTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly hasPerRequestStream = true;
  readonly #inner: StreamableHTTPClientTransport;
  readonly #send: Transport['send'];
  readonly #inOrder = new InOrder();
  readonly #unanswered = new Set<string | number>();

  constructor({ url, headers }: HttpOptions) {
    this.#inner = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { ...headers } } });
    this.#send = this.#inner.send.bind(this.#inner) as Transport['send'];
    this.#inner.onclose = () => this.onclose?.();
    this.#inner.onerror = (error) => this.onerror?.(error);
    this.#inner.onmessage = (message) => {
      if (isJSONRPCResponse(message) && message.id !== undefined) this.#unanswered.delete(message.id);
      this.#inOrder.deliver(message, () => this.onmessage?.(message));
    };
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  start(): Promise<void> {
    return this.#inner.start();
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (!isJSONRPCRequest(message)) {
      this.#cancelled(message);
      return this.#send(message, options);
    }
    const { id } = message;
    this.#unanswered.add(id);
    options?.requestSignal?.addEventListener('abort', () => this.#unanswered.delete(id), { once: true });
    const onRequestStreamEnd = () => {
      options?.onRequestStreamEnd?.();
      if (!this.#unanswered.delete(id)) return;
      const error = { code: CONNECTION_CLOSED, message: 'The server ended the stream of the call without a result.' };
      this.onmessage?.({ jsonrpc: '2.0', id, error });
    };
    try {
      await this.#send(message, { ...options, onRequestStreamEnd });
    } catch (error) {
      this.#unanswered.delete(id);
      throw error;
    }
  }

  /** Ends the session at the server too, if it can be told. */
  async close(): Promise<void> {
    if (this.#inner.sessionId !== undefined) {
      await within(SESSION_END_MS, this.#inner.terminateSession()).catch(() => {});
    }
    await this.#inner.close();
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion(version);
  }

  /** Nobody waits for its answer any more: the end of its stream is no news. */
  #cancelled(message: JSONRPCMessage): void {
    if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return;
    const { requestId } = message.params as { requestId?: string | number };
    if (requestId !== undefined) this.#unanswered.delete(requestId);
  }
}

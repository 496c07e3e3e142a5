import { errors, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import { UnavailableError } from './errors.ts';

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly headers?: MsgHdrs;
}

/**
 * Asks a service and returns its JSON answer. Nobody listening and no answer in time are both `UnavailableError`; only the
 * first proves that nothing happened, so what changes something needs an id that makes a repeat recognisable.
 */
export async function request(
  nc: NatsConnection,
  subject: string,
  body: unknown,
  { timeoutMs, headers }: RequestOptions,
): Promise<unknown> {
  let reply: Msg;
  try {
    reply = await nc.request(subject, JSON.stringify(body), {
      timeout: timeoutMs,
      ...(headers === undefined ? {} : { headers }),
    });
  } catch (error) {
    if (error instanceof errors.RequestError && error.isNoResponders()) {
      throw new UnavailableError(`No service answers on ${subject}. It may be starting; try again.`, { cause: error });
    }
    if (isConnectionTrouble(error)) {
      const text = `No answer on ${subject} within ${timeoutMs} ms. Try again with the same id.`;
      throw new UnavailableError(text, { cause: error });
    }
    throw error;
  }
  try {
    return JSON.parse(reply.string()) as unknown;
  } catch (error) {
    const reason = reply.headers?.get('Nats-Service-Error') || 'the answer is not JSON';
    throw new UnavailableError(`The service on ${subject} did not answer properly: ${reason}.`, { cause: error });
  }
}

function isConnectionTrouble(error: unknown): boolean {
  return (
    error instanceof errors.TimeoutError ||
    error instanceof errors.RequestError ||
    error instanceof errors.ConnectionError ||
    error instanceof errors.ClosedConnectionError ||
    error instanceof errors.DrainingConnectionError
  );
}

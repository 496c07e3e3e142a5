import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/nats-core';
import { type ServiceMsg, Svcm } from '@nats-io/services';
import type { Histogram, Meter } from '@opentelemetry/api';
import { asError } from './errors.ts';
import { createLogger, type Logger } from './logger.ts';
import { within } from './within.ts';

/** Gets the request's JSON and its headers, returns the answer's JSON. It validates what it gets: nothing has before. */
export type CommandHandler = (request: unknown, headers: MsgHdrs | undefined) => unknown | Promise<unknown>;

export interface CommandEndpoint {
  readonly subject: string;
  readonly handler: CommandHandler;
  /** Shown by `nats micro info`. */
  readonly metadata?: Record<string, string>;
}

export interface CommandServiceOptions {
  /** `[A-Za-z0-9_-]`, as `nats micro` wants it. */
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  readonly description?: string;
  readonly endpoints: Readonly<Record<string, CommandEndpoint>>;
  /** Requests handled at the same time, over all endpoints; what comes beyond is answered `busy` at once. Default 256. */
  readonly concurrency?: number;
  readonly log?: Logger;
  readonly meter?: Meter;
  /** Default: throws outside of any promise, which ends a service run by `runService`. */
  readonly onLost?: (error: Error) => void;
}

export interface CommandService {
  readonly inFlight: number;
  /** Takes no new request and resolves when those taken are answered. */
  stop(): Promise<void>;
}

type Answer = { ok: false; error: { code: string; message: string; retry_after_s?: number } };
const refusal = (code: string, message: string, retry?: number): Answer => ({
  ok: false,
  error: { code, message, ...(retry === undefined ? {} : { retry_after_s: retry }) },
});
const BUSY = refusal('busy', 'The service has as many requests in hand as it may. Try again.', 1);
const BAD_JSON = refusal('bad_json', 'The request is not JSON.');
const INTERNAL = refusal('internal', 'The service could not handle the request; its log says why.');

/**
 * Request/reply endpoints that `nats micro` discovers. All instances of a service share one queue group, so each request
 * reaches one of them. A handler that throws is answered `internal` and logged; a request is never left without an answer
 * while the service runs.
 */
export async function serveCommands(nc: NatsConnection, options: CommandServiceOptions): Promise<CommandService> {
  const { name, version, endpoints, concurrency = 256, meter } = options;
  const log = options.log ?? createLogger({ name });
  const durations = meter?.createHistogram('toolstream_command_duration_seconds', {
    description: 'Time from a command or query received to its answer',
    advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  });
  const running = new Set<Promise<void>>();
  let stopping = false;

  const receive = (endpoint: string, handler: CommandHandler, message: ServiceMsg): void => {
    if (running.size >= concurrency) {
      durations?.record(0, { endpoint, outcome: 'busy' });
      send(message, BUSY, log);
      return;
    }
    const job = handle(endpoint, handler, message, log, durations).finally(() => running.delete(job));
    running.add(job);
  };

  // The preview release of the micro layer brings a core of its own; its connection type is the same by structure.
  const manager = new Svcm(nc as unknown as ConstructorParameters<typeof Svcm>[0]);
  const service = await manager.add({ name, version, description: options.description ?? '', queue: name });
  for (const [endpoint, { subject, handler, metadata }] of Object.entries(endpoints)) {
    service.addEndpoint(endpoint, {
      subject,
      ...(metadata === undefined ? {} : { metadata }),
      handler: (error, message) => {
        if (error === null) receive(endpoint, handler, message);
      },
    });
  }
  await nc.flush();

  void service.stopped.then((error) => {
    if (stopping || nc.isClosed() || nc.isDraining()) return;
    const lost = new Error(`The command endpoints of ${name} stopped: ${error?.message ?? 'subscription closed'}`);
    if (options.onLost) options.onLost(lost);
    else
      setImmediate(() => {
        throw lost;
      });
  });

  return {
    get inFlight() {
      return running.size;
    },
    stop: async () => {
      stopping = true;
      // While the server is away the subscriptions cannot be drained, and nothing can arrive on them either.
      if (!nc.isClosed()) await within(1_000, service.stop());
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

async function handle(
  endpoint: string,
  handler: CommandHandler,
  message: ServiceMsg,
  log: Logger,
  durations: Histogram | undefined,
): Promise<void> {
  const began = performance.now();
  const { answer, outcome } = await work(endpoint, handler, message, log);
  send(message, answer, log);
  durations?.record((performance.now() - began) / 1000, { endpoint, outcome });
}

async function work(endpoint: string, handler: CommandHandler, message: ServiceMsg, log: Logger) {
  let body: unknown;
  try {
    body = message.data.length === 0 ? {} : JSON.parse(message.string());
  } catch {
    return { answer: BAD_JSON, outcome: 'refused' };
  }
  try {
    const answer = await handler(body, (message as unknown as Msg).headers);
    return { answer, outcome: (answer as { ok?: unknown } | undefined)?.ok === false ? 'refused' : 'answered' };
  } catch (error) {
    log.error({ error, endpoint }, 'a command handler failed');
    return { answer: INTERNAL, outcome: 'failed' };
  }
}

/** An answer larger than the server's `max_payload` throws here: the asker then learns that at once, not by a timeout. */
function send(message: ServiceMsg, answer: unknown, log: Logger): void {
  try {
    message.respond(JSON.stringify(answer));
  } catch (error) {
    log.error({ error, subject: message.subject }, 'an answer could not be sent');
    const text = `The answer could not be sent: ${asError(error).message}`;
    try {
      message.respond(JSON.stringify(refusal('internal', text)));
    } catch {
      // The connection is closed: the asker's own timeout is what is left.
    }
  }
}

import type { ClientFrame, RunCommandRequest } from '@toolstream/proto-events';
import { ensureTraceparent, type Logger } from '@toolstream/service-kit';
import type { Orchestrator } from '../adapters/orchestrator.ts';
import type { RunReader } from '../adapters/run-reader.ts';
import { adminOf, type Principal, requireApp, requireScope } from '../auth/principal.ts';
import type { EdgeMetrics } from '../metrics.ts';
import { Refusal } from '../problems.ts';
import { frameCommandId } from '../requests/idempotency.ts';
import { type Peer, refusalFor } from './peer.ts';

export type CommandFrame = Extract<ClientFrame, { type: 'command' }>;

export interface CommandsParts {
  readonly logger: Logger;
  readonly reader: RunReader;
  readonly orchestrator: Orchestrator;
  readonly metrics: EdgeMetrics;
}

const COMMANDS_IN_FLIGHT = 64;

/**
 * The commands of one connection. Those on one run are carried out in the order in which they came; runs do not wait for
 * each other. Each is answered once, by an ack with the cursor that includes it, or by an error.
 */
export class Commands {
  readonly #peer: Peer;
  readonly #parts: CommandsParts;
  readonly #last = new Map<string, Promise<void>>();
  #inFlight = 0;

  constructor(peer: Peer, parts: CommandsParts) {
    this.#peer = peer;
    this.#parts = parts;
  }

  async carryOut(frame: CommandFrame): Promise<void> {
    const { id, run } = frame;
    if (this.#inFlight >= COMMANDS_IN_FLIGHT) return this.#peer.error(new Refusal('busy'), { id, run });
    this.#inFlight++;
    const before = this.#last.get(run);
    const done = (before ?? Promise.resolve()).then(() => this.#carryOut(frame));
    this.#last.set(run, done);
    await done;
    this.#inFlight--;
    if (this.#last.get(run) === done) this.#last.delete(run);
  }

  async #carryOut(frame: CommandFrame): Promise<void> {
    const { id, run } = frame;
    const { reader, orchestrator, metrics, logger } = this.#parts;
    if (this.#peer.closed) return;
    try {
      const { principal, session } = this.#peer;
      requireScope(principal, 'runs:control');
      const request = commandRequest(frame, principal, session);
      const address = await reader.locate(principal.tenant, run);
      if (!address) throw new Refusal('not_found', 'There is no such run.');
      requireApp(principal, address.app);
      const cursor = await orchestrator.command(request);
      metrics.command('acked');
      this.#peer.send({ type: 'ack', id, cursor });
    } catch (error) {
      metrics.command('refused');
      this.#peer.error(refusalFor(error, logger, { run }), { id, run });
    }
  }
}

function commandRequest(frame: CommandFrame, principal: Principal, session: string): RunCommandRequest {
  const { command, args = {} } = frame;
  const { index, reason } = args;
  const { sub, tenant } = principal;
  const base = {
    tenant,
    actor: sub,
    ...adminOf(principal),
    traceparent: ensureTraceparent(),
    run: frame.run,
    command_id: frameCommandId(command, index, { sub, session }, frame.id),
    ...(reason === undefined ? {} : { reason }),
  };
  if (command === 'pause' || command === 'resume' || command === 'cancel') return { name: command, ...base };
  if (index === undefined || index > 255) throw new Refusal('bad_frame', `${command} needs args.index, 0 to 255.`);
  if (command !== 'approve_tool') return { name: command, ...base, index };
  return { name: command, ...base, index, ...(args.arguments === undefined ? {} : { arguments: args.arguments }) };
}

import { createHash } from 'node:crypto';
import type { Command } from '@toolstream/domain';
import {
  type CommandReply,
  isArtifactRef,
  type Json,
  type RunCommandName,
  type RunCommandRequest,
  runCommands,
} from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { ToolCatalog } from '../catalog/tool-catalog.ts';
import type { LargeValues, RunLog } from '../ports.ts';
import type { CatchUp } from '../runs/catch-up.ts';
import { type Decisions, partitionOf } from '../runs/decisions.ts';
import type { LiveRun } from '../runs/live-run.ts';
import type { LiveRuns } from '../runs/live-runs.ts';
import { busy, malformed, notFound, refused, refusedByLog, refusedByStore } from './refusals.ts';

export interface RunCommandParts {
  readonly log: RunLog;
  readonly runs: LiveRuns;
  readonly decisions: Decisions;
  readonly catchUp: CatchUp;
  readonly catalog: Pick<ToolCatalog, 'find' | 'validate'>;
  readonly values: LargeValues;
  readonly logger: Logger;
}

/** Arguments that an approver wrote: as the event holds them, and in full, to be checked. */
interface Edited {
  readonly stored: Json;
  readonly full: Json;
}

/**
 * Commands on an accepted run. Each is decided on what the leader has acknowledged, so that a caller never gets an answer
 * older than what it has seen; answered once its event is durable; and followed by whatever has become due.
 */
export class RunCommands {
  readonly #parts: RunCommandParts;
  readonly #following = new Set<Promise<void>>();

  constructor(parts: RunCommandParts) {
    this.#parts = parts;
  }

  async handle(name: RunCommandName, body: unknown): Promise<CommandReply> {
    const parsed = runCommands[name].safeParse(body);
    if (!parsed.success) return malformed(parsed.error);
    const request = { name, ...parsed.data } as RunCommandRequest;
    if (partitionOf(request.run) >= this.#parts.log.partitions) return notFound(request.run);
    let edited: Edited | undefined;
    try {
      edited = await this.#edited(request);
    } catch (error) {
      return refusedByStore(error);
    }
    const reply = Promise.withResolvers<CommandReply>();
    const following = this.#parts.runs
      .with(request.run, (run) => this.#carryOut(run, request, edited, reply), { urgent: true })
      .catch((error: unknown) => this.#failed(request, error, reply))
      .finally(() => this.#following.delete(following));
    this.#following.add(following);
    return reply.promise;
  }

  /** Resolves when what follows the commands answered so far is done. */
  async idle(): Promise<void> {
    while (this.#following.size > 0) await Promise.all(this.#following);
  }

  async #carryOut(
    run: LiveRun,
    request: RunCommandRequest,
    edited: Edited | undefined,
    reply: PromiseWithResolvers<CommandReply>,
  ): Promise<void> {
    const { catchUp, decisions, log } = this.#parts;
    const { tenant, run: id } = request;
    await catchUp.read(run, run.address ?? { tenant, run: id });
    // Another tenant's run is told from none by nothing.
    if (!run.view || run.view.tenant !== tenant) return reply.resolve(notFound(id));
    const outcome = await decisions.carryOut(run, this.#commandOf(run, request, edited));
    switch (outcome.kind) {
      case 'done':
        reply.resolve({ ok: true, cursor: log.cursor(partitionOf(id), outcome.seq ?? run.view.seq) });
        break;
      case 'rejected':
        return reply.resolve(refused(outcome.rejection.code, outcome.rejection.message));
      case 'unknown':
        return reply.resolve(notFound(id));
      default:
        return reply.resolve(busy());
    }
    await decisions.carryOut(run, { type: 'advance' }, { leavesToOthers: true });
  }

  /** Before the run's lock: the store may take its time. */
  async #edited(request: RunCommandRequest): Promise<Edited | undefined> {
    if (request.name !== 'approve_tool' || request.arguments === undefined) return undefined;
    const { tenant, run } = request;
    const { values } = this.#parts;
    const full = await values.resolve(request.arguments, { tenant });
    return { full, stored: await values.putJsonIfLarge(request.arguments, { tenant, run, kind: 'arguments' }) };
  }

  #commandOf(run: LiveRun, request: RunCommandRequest, edited: Edited | undefined): Command {
    const { name, command_id, actor, admin, reason } = request;
    const asked = { id: safeId(command_id), actor, admin, reason };
    switch (name) {
      case 'pause':
      case 'resume':
      case 'cancel':
        return { type: name, ...asked };
      case 'approve_tool': {
        const { index } = request;
        if (!edited) return { type: name, index, ...asked };
        return { type: name, index, arguments: edited.stored, misfit: this.#misfit(run, index, edited.full), ...asked };
      }
      default:
        return { type: name, index: request.index, ...asked };
    }
  }

  /** Arguments that an approver wrote are checked like a caller's. */
  #misfit(run: LiveRun, index: number, args: Json): string | undefined {
    const tool = run.view?.tools[index];
    const definition = tool && this.#parts.catalog.find(tool.name);
    if (!definition) return undefined;
    return isArtifactRef(args)
      ? 'The arguments name an artifact that does not exist.'
      : this.#parts.catalog.validate(definition, args);
  }

  /** Before the answer it is the answer; after it, the reactor meets the command's event and does what is left. */
  #failed(request: RunCommandRequest, error: unknown, reply: PromiseWithResolvers<CommandReply>): void {
    const { logger } = this.#parts;
    logger.warn(
      { error: asError(error), run: request.run, command: request.name },
      'a command was not carried through',
    );
    try {
      reply.resolve(refusedByLog(error));
    } catch (fault) {
      reply.reject(fault);
    }
  }
}

/** An event's id travels in a header and has at most 128 characters; a longer or odd command id is named by its hash. */
const safeId = (id: string): string =>
  /^[\x21-\x7e]{1,120}$/.test(id) ? id : createHash('sha256').update(id).digest('base64url');

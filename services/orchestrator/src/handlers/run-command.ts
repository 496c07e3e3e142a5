import { createHash } from 'node:crypto';
import type { Command } from '@toolstream/domain';
import {
  type CommandReply,
  isArtifactRef,
  type RunCommandName,
  type RunCommandRequest,
  runCommands,
} from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { ToolCatalog } from '../catalog/tool-catalog.ts';
import type { RunLog } from '../ports.ts';
import type { CatchUp } from '../runs/catch-up.ts';
import { type Decisions, partitionOf } from '../runs/decisions.ts';
import type { LiveRun } from '../runs/live-run.ts';
import type { LiveRuns } from '../runs/live-runs.ts';
import { busy, malformed, notFound, type Refused, refused, refusedByLog } from './refusals.ts';

export interface RunCommandParts {
  readonly log: RunLog;
  readonly runs: LiveRuns;
  readonly decisions: Decisions;
  readonly catchUp: CatchUp;
  readonly catalog: Pick<ToolCatalog, 'find' | 'validate'>;
  readonly logger: Logger;
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
    const reply = Promise.withResolvers<CommandReply>();
    const following = this.#parts.runs
      .with(request.run, (run) => this.#carryOut(run, request, reply), { urgent: true })
      .catch((error: unknown) => this.#failed(request, error, reply))
      .finally(() => this.#following.delete(following));
    this.#following.add(following);
    return reply.promise;
  }

  /** Resolves when what follows the commands answered so far is done. */
  async idle(): Promise<void> {
    while (this.#following.size > 0) await Promise.all(this.#following);
  }

  async #carryOut(run: LiveRun, request: RunCommandRequest, reply: PromiseWithResolvers<CommandReply>): Promise<void> {
    const { catchUp, decisions, log } = this.#parts;
    const { tenant, run: id } = request;
    await catchUp.read(run, run.address ?? { tenant, run: id });
    // Another tenant's run is told from none by nothing.
    if (!run.view || run.view.tenant !== tenant) return reply.resolve(notFound(id));
    const problem = request.name === 'approve_tool' ? this.#editProblem(run, request) : undefined;
    if (problem) return reply.resolve(problem);
    const outcome = await decisions.carryOut(run, commandOf(request));
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

  /** Arguments that an approver wrote are checked like a caller's. */
  #editProblem(run: LiveRun, request: Extract<RunCommandRequest, { name: 'approve_tool' }>): Refused | undefined {
    const tool = run.view?.tools[request.index];
    const { arguments: edited } = request;
    if (!tool || edited === undefined || isArtifactRef(edited)) return undefined;
    const definition = this.#parts.catalog.find(tool.name);
    const message = definition && this.#parts.catalog.validate(definition, edited);
    return message === undefined ? undefined : refused('invalid', message);
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

function commandOf(request: RunCommandRequest): Command {
  const { name, command_id, actor, reason } = request;
  const asked = { id: safeId(command_id), actor, reason };
  switch (name) {
    case 'pause':
    case 'resume':
    case 'cancel':
      return { type: name, ...asked };
    case 'approve_tool':
      return { type: name, index: request.index, arguments: request.arguments, ...asked };
    default:
      return { type: name, index: request.index, ...asked };
  }
}

/** An event's id travels in a header and has at most 128 characters; a longer or odd command id is named by its hash. */
const safeId = (id: string): string =>
  /^[\x21-\x7e]{1,120}$/.test(id) ? id : createHash('sha256').update(id).digest('base64url');

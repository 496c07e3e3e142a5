import type { Progress } from '@modelcontextprotocol/client';
import type { ToolContext } from '@toolstream/tool-kit';

/** A server may name what it does in a word; it goes into the message, for stages are for machines too. */
const STAGE = 'running';

/**
 * A server's progress on its way to the log: a percentage only where the server gives a total, strictly increasing, and
 * nothing once the call is over, whatever the server still says.
 */
export class ProgressRelay {
  readonly #ctx: Pick<ToolContext, 'progress'>;
  #last = Number.NEGATIVE_INFINITY;
  #open = true;

  constructor(ctx: Pick<ToolContext, 'progress'>) {
    this.#ctx = ctx;
  }

  report({ progress, total, message }: Progress): void {
    if (!this.#open || !Number.isFinite(progress) || progress <= this.#last) return;
    this.#last = progress;
    const measured = total !== undefined && Number.isFinite(total) && total > 0;
    void this.#ctx.progress({
      stage: STAGE,
      ...(message === undefined ? {} : { message }),
      ...(measured ? { progress: (progress / total) * 100 } : {}),
      details: { progress, ...(measured ? { total } : {}) },
    });
  }

  close(): void {
    this.#open = false;
  }
}

import type { Client, ToolstreamError } from '@toolstream/client';
import { hasRunEnded, type RunState } from './types.ts';

export type CommandName = Parameters<Client['command']>[1];
export type CommandArguments = NonNullable<Parameters<Client['command']>[2]>;

/** A command on its way: until the run's state shows the event that records it, or the service refuses it. */
export interface PendingCommand {
  readonly command: CommandName;
  readonly index?: number;
  readonly reason?: string;
  readonly asked_at: number;
  /** The service has it; the state does not show it yet. */
  readonly recorded: boolean;
}
export interface RefusedCommand {
  readonly command: CommandName;
  readonly index?: number;
  readonly error: ToolstreamError;
}

export interface Why {
  readonly reason?: string | undefined;
}
export interface Answer extends Why {
  /** Arguments that the call is to run with instead of the model's; of a call that asked for input, the answer. */
  readonly arguments?: CommandArguments['arguments'] | undefined;
}

/**
 * Each resolves with the cursor of the event that records it, and rejects with what the service refused it for. A rejection
 * that nobody looks at is no unhandled one: `refused` in the view shows it.
 */
export interface RunControls {
  pause(why?: Why): Promise<string>;
  resume(why?: Why): Promise<string>;
  cancel(why?: Why): Promise<string>;
  cancelTool(index: number, why?: Why): Promise<string>;
  retryTool(index: number, why?: Why): Promise<string>;
  approveTool(index: number, answer?: Answer): Promise<string>;
  denyTool(index: number, why?: Why): Promise<string>;
}

interface Entry extends PendingCommand {
  readonly seq?: number;
}

/** Commands on one run: how to issue them, and which are on their way. */
export class RunCommands {
  readonly controls: RunControls;
  readonly #client: () => Client;
  readonly #run: string;
  readonly #changed: () => void;
  #entries: readonly Entry[] = [];
  #refused: RefusedCommand | undefined;
  /** Position of the newest state. */
  #seen = 0;

  constructor(client: () => Client, run: string, changed: () => void) {
    this.#client = client;
    this.#run = run;
    this.#changed = changed;
    const issue = (command: CommandName, args: Answer & { index?: number } = {}) => this.#issue(command, args);
    this.controls = {
      pause: (why) => issue('pause', why),
      resume: (why) => issue('resume', why),
      cancel: (why) => issue('cancel', why),
      cancelTool: (index, why) => issue('cancel_tool', { ...why, index }),
      retryTool: (index, why) => issue('retry_tool', { ...why, index }),
      approveTool: (index, answer) => issue('approve_tool', { ...answer, index }),
      denyTool: (index, why) => issue('deny_tool', { ...why, index }),
    };
  }

  get pending(): readonly PendingCommand[] {
    return this.#entries;
  }

  /** The last one that was refused, until another is issued. */
  get refused(): RefusedCommand | undefined {
    return this.#refused;
  }

  /** The state has moved on: what it shows is no longer pending. */
  settle({ seq, status }: RunState): void {
    // After another incarnation of the log, sequences from before say nothing.
    const all = hasRunEnded(status) || seq < this.#seen;
    this.#seen = seq;
    if (this.#entries.length === 0) return;
    const left = this.#entries.filter((entry) => entry.seq === undefined || (entry.seq > seq && !all));
    if (left.length < this.#entries.length) this.#entries = left;
  }

  #issue(command: CommandName, { index, reason, arguments: edited }: Answer & { index?: number }): Promise<string> {
    const which = index === undefined ? {} : { index };
    const args = { ...which, ...(reason ? { reason } : {}) };
    const entry: Entry = { command, ...args, asked_at: Date.now(), recorded: false };
    this.#refused = undefined;
    this.#entries = [...this.#entries, entry];
    this.#changed();
    const answer = this.#send(command, edited === undefined ? args : { ...args, arguments: edited }).then(
      ({ cursor }) => {
        const seq = seqOf(cursor);
        if (seq > this.#seen) this.#replace(entry, { ...entry, recorded: true, seq });
        else this.#replace(entry);
        return cursor;
      },
      (error: ToolstreamError) => {
        this.#refused = { command, ...which, error };
        this.#replace(entry);
        throw error;
      },
    );
    answer.catch(() => {});
    return answer;
  }

  async #send(command: CommandName, args: CommandArguments): Promise<{ cursor: string }> {
    return this.#client().command(this.#run, command, args);
  }

  #replace(entry: Entry, by?: Entry): void {
    this.#entries = this.#entries.flatMap((e) => (e !== entry ? [e] : by ? [by] : []));
    this.#changed();
  }
}

/** The sequence in a run's cursor, to be compared with `RunState.seq`; one that has none counts as shown. */
const seqOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf(':') + 1)) || 0;

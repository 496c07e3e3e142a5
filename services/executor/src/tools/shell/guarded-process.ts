import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/**
 * Leads a process group of its own, in which the program runs, and ends all of the group when the program has ended or when
 * the tool's process is gone, however that ended: its end of the channel closes then. What leaves the group (setsid) escapes.
 */
const GUARD = `
const { spawn } = require('node:child_process');
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
process.once('message', ({ program, args, cwd, env }) => {
  const say = (how) => process.send(how, () => process.disconnect());
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  child.once('error', (error) => say({ error: error.code || error.message }));
  child.once('exit', (code, signal) => say({ code, signal }));
});
`;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: { readonly [name: string]: string };
}

export type Exit = { readonly code: number | null; readonly signal: string | null } | { readonly error: string };

export class GuardedProcess {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the program has ended and nothing of its group writes any more. */
  readonly exit: Promise<Exit>;
  readonly #guard: ChildProcess;
  #hasEnded = false;

  constructor(command: Command) {
    const guard = spawn(process.execPath, ['-e', GUARD], {
      detached: true,
      cwd: command.cwd,
      env: { PATH: command.env.PATH ?? '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#guard = guard;
    this.stdout = guard.stdout as Readable;
    this.stderr = guard.stderr as Readable;
    let how: Exit | undefined;
    guard.on('message', (message) => {
      how = message as Exit;
    });
    guard.on('exit', () => {
      this.#hasEnded = true;
    });
    guard.send(command, () => {});
    this.exit = once(guard, 'close').then(() => how ?? { code: null, signal: 'SIGKILL' });
    this.exit.catch(() => {});
  }

  /** Asks the whole group to end, and ends what has not after a while. */
  async stop(graceMs: number): Promise<void> {
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), graceMs);
    await this.exit.catch(() => {});
    clearTimeout(timer);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#hasEnded || this.#guard.pid === undefined) return;
    try {
      process.kill(-this.#guard.pid, signal);
    } catch {
      // It ended a moment ago.
    }
  }
}

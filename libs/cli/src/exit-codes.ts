/** What the process's exit code says. */
export const EXIT = {
  ok: 0,
  /** The run ended, but not every call succeeded. */
  runFailed: 1,
  /** The command line, a file or the environment is not as it has to be. */
  usage: 2,
  /** No service at the address, or no stack is running. */
  unreachable: 3,
  /** The service said no; its code is in the message. */
  refused: 4,
  interrupted: 130,
} as const;

/** An end that is explained by one sentence and an exit code. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const usage = (message: string): Failure => new Failure(EXIT.usage, message);

/** The sentence for stderr and the exit code of anything that was thrown. */
export function explain(error: unknown): { message: string; exitCode: number } {
  if (error instanceof Failure) return { message: error.message, exitCode: error.exitCode };
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name === 'ApiError') return { message: `${message} (${code})`, exitCode: EXIT.refused };
  if (name === 'ConnectionError') return { message: message ?? '', exitCode: EXIT.unreachable };
  if (code === 'bad_cursor') return { message: message ?? '', exitCode: EXIT.usage };
  if (name === 'ToolstreamError' && code === 'token_expired') return { message: message ?? '', exitCode: EXIT.refused };
  return { message: error instanceof Error ? error.message : String(error), exitCode: EXIT.runFailed };
}

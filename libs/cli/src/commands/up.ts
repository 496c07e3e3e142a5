import { ConfigError, EXIT_CONFIG } from '@toolstream/service-kit';
import { type Stack, type StackOptions, StartAborted, startStack } from '../supervisor/index.ts';
import { stackOptionsFrom } from '../up/config.ts';
import { aborted, listenForStop } from '../up/signals.ts';
import { welcome } from '../up/welcome.ts';

/** Starts everything, says where it is, and stays until it is told to stop. Returns the exit code. */
export async function up(env: NodeJS.ProcessEnv = process.env): Promise<number> {
  return withStack(env, async (stack, stop) => {
    process.stdout.write(`${await welcome(stack)}\n`);
    await aborted(stop);
    return 0;
  });
}

/**
 * Runs `work` with a running stack, and stops the stack afterwards, whatever happened. `stop` is aborted when a signal asks
 * to end; `work` should then return. `overrides` win over the environment.
 */
export async function withStack(
  env: NodeJS.ProcessEnv,
  work: (stack: Stack, stop: AbortSignal) => Promise<number>,
  overrides: Partial<StackOptions> = {},
): Promise<number> {
  const requests = listenForStop();
  try {
    const stack = await startStack({ ...stackOptionsFrom(env), ...overrides, signal: requests.polite });
    void aborted(requests.impatient).then(() => stack.stop({ force: true }));
    try {
      return await work(stack, requests.polite);
    } finally {
      if (requests.polite.aborted) process.stderr.write('Stopping.\n');
      await stack.stop();
    }
  } catch (error) {
    if (error instanceof StartAborted) return 0;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof ConfigError ? EXIT_CONFIG : 1;
  } finally {
    requests.release();
  }
}

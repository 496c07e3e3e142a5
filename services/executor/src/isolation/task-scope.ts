import { AsyncLocalStorage } from 'node:async_hooks';
import type { RemoteHost } from './remote-host.ts';

/**
 * Which call something in a shared thread or process belongs to: what is printed, and errors that nothing handles. A call
 * that has ended may have left a timer or a promise behind; what comes of it must not be put on the next one.
 */
const scope = new AsyncLocalStorage<RemoteHost>();

export const inScopeOf = <T>(host: RemoteHost, work: () => T): T => scope.run(host, work);

type Print = typeof process.stdout.write;

/** Gives what tools print to the calls that print it. The process's own streams would mix it into the executor's log. */
export function capturePrints(): void {
  for (const channel of ['stdout', 'stderr'] as const) {
    const stderr = process.stderr.write.bind(process.stderr);
    const print = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
      const host = scope.getStore();
      if (host) host.print(channel, chunk);
      else stderr(chunk);
      const callback = typeof encoding === 'function' ? encoding : done;
      if (typeof callback === 'function') queueMicrotask(() => callback());
      return true;
    }) as Print;
    process[channel].write = print;
  }
}

/**
 * An error that nothing handles ends the thread or process of the call that it comes from, with a word of what it was;
 * one that an earlier call left behind is noted and ends nothing. `end` is called once the word is on its way.
 */
export function endOnStrayErrors(end: () => void): void {
  const onStray = (error: unknown) => {
    const host = scope.getStore();
    if (host?.isClosed) return void console.error('an earlier call left an error behind:', error);
    if (!host) console.error('nothing handled:', error);
    host?.crash(error);
    end();
  };
  process.on('uncaughtException', onStray);
  process.on('unhandledRejection', onStray);
}

import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceSpec, type Stack, type StackOptions, startStack } from '../../src/supervisor/index.ts';

export const SCRIPT = join(import.meta.dirname, 'fixtures', 'tiny-service.ts');

export const tiny = (name: string, mode = '', env: Record<string, string> = {}): ServiceSpec => ({
  name,
  script: SCRIPT,
  execArgv: [],
  env: { TINY: mode, ...env },
});

/** A data folder, the stacks started on it, and what was said about them; all gone after `end`. */
export function workshop() {
  const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'toolstream-stack-')));
  chmodSync(dataDir, 0o755);
  const stacks: Stack[] = [];
  const said: string[] = [];
  return {
    dataDir,
    said,
    async start(options: StackOptions): Promise<Stack> {
      const stack = await startStack({ dataDir, port: 0, log: (line) => said.push(line), ...options });
      stacks.push(stack);
      return stack;
    },
    readJson: (file: string) => JSON.parse(readFileSync(join(dataDir, file), 'utf8')),
    pidFile: (name: string) => Number(readFileSync(join(dataDir, 'run', `${name}.pid`), 'utf8')),
    async end() {
      for (const stack of stacks) await stack.stop({ force: true });
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Servers that a test does not look at cost time: these addresses are never connected to. */
export const NO_SERVERS = { natsUrl: 'nats://127.0.0.1:1', databaseUrl: 'postgres://127.0.0.1:1/none' } as const;

export async function eventually(condition: () => boolean, withinMs: number): Promise<number> {
  const begun = performance.now();
  while (!condition()) {
    if (performance.now() - begun > withinMs) throw new Error(`not within ${withinMs} ms`);
    await sleep(20);
  }
  return performance.now() - begun;
}

/** The next time that the named process is said to run again. */
export function restartOf(stack: Stack, name: string): Promise<number> {
  return new Promise((resolve) => {
    const listener = (event: { name: string; pid: number }) => {
      if (event.name !== name) return;
      stack.off('restart', listener);
      resolve(event.pid);
    };
    stack.on('restart', listener);
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(import.meta.url);
const reference = (name: string) => require.resolve(`@modelcontextprotocol/server-${name}/dist/index.js`);
const ODD = join(import.meta.dirname, 'fixtures/odd-mcp-server.mjs');

type Settings = Record<string, unknown>;
const node = (args: string[], settings: Settings) => ({ command: process.execPath, args, ...settings });

export const everything = (settings: Settings = {}) => node([reference('everything'), 'stdio'], settings);
export const filesystem = (folder: string, settings: Settings = {}) =>
  node([reference('filesystem'), folder], settings);
export const odd = (settings: Settings = {}) => node([ODD], settings);
export const mcp = (mcpServers: Settings): string => JSON.stringify({ mcpServers });

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The everything server over streamable HTTP, on a port of its own; resolves when it listens. */
export async function everythingOverHttp(port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [reference('everything'), 'streamableHttp'], {
    env: { PATH: process.env.PATH, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    child.stderr?.on('data', (text: Buffer) => String(text).includes('listening') && resolve());
  });
  return child;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function eventually<T>(what: string, check: () => T | undefined | Promise<T | undefined>, ms = 10_000) {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(20);
  }
}

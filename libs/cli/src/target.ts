import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { projectRoot } from '@toolstream/testkit';
import { EXIT, Failure, usage } from './exit-codes.ts';
import { mintToken } from './token.ts';

export interface TargetFlags {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly 'data-dir'?: string | undefined;
}

/** An edge, and what signs in there. */
export interface Target {
  readonly url: string;
  readonly token: string | (() => Promise<string>);
}

const DEFAULT_URL = 'http://localhost:4400';
export const DEVELOPMENT_SCOPE = 'runs:read runs:write runs:control admin';

/** From flags, else the environment, else the stack that runs on this machine: the address and the token each for itself. */
export function findTarget(flags: TargetFlags, env: NodeJS.ProcessEnv): Target {
  const dataDir = dataDirOf(flags, env);
  const givenToken = flags.token ?? (env.TOOLSTREAM_TOKEN || undefined);
  const url = flags.url ?? (env.TOOLSTREAM_URL || undefined) ?? edgeOf(dataDir);
  if (url !== undefined && !/^https?:\/\//.test(url)) {
    throw usage(`${url} is no address: it has to begin with http:// or https://.`);
  }
  if (url === undefined && givenToken === undefined) {
    const message = `No stack is running in ${dataDir}. Start one with make up, or say where it is with --url and --token.`;
    throw new Failure(EXIT.unreachable, message);
  }
  const token = givenToken ?? tokenOf(dataDir, env);
  if (token === undefined) throw usage('No token: give one with --token or TOOLSTREAM_TOKEN.');
  return { url: url ?? DEFAULT_URL, token };
}

export function dataDirOf(flags: TargetFlags, env: NodeJS.ProcessEnv): string {
  const chosen = flags['data-dir'] ?? (env.TOOLSTREAM_DATA_DIR || undefined);
  return resolve(chosen ?? join(projectRoot() ?? process.cwd(), '.toolstream'));
}

/** The secret that signs tokens for this stack: the one from the environment, else the one that the stack made. */
export function secretOf(dataDir: string, env: NodeJS.ProcessEnv): string | undefined {
  return env.TOOLSTREAM_JWT_SECRET || readIfThere(join(dataDir, 'jwt-secret'))?.trim();
}

function tokenOf(dataDir: string, env: NodeJS.ProcessEnv): (() => Promise<string>) | undefined {
  const secret = secretOf(dataDir, env);
  if (!secret) return undefined;
  return () => mintToken(secret, { sub: 'dev', tenant: 'dev', scope: DEVELOPMENT_SCOPE, apps: '*' });
}

function edgeOf(dataDir: string): string | undefined {
  const text = readIfThere(join(dataDir, 'run', 'stack.json'));
  try {
    return text === undefined ? undefined : (JSON.parse(text) as { edges?: string[] }).edges?.[0];
  } catch {
    return undefined;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Failure(EXIT.usage, `${file} cannot be read: ${(error as Error).message}.`);
  }
}

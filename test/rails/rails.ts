import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestStack, TENANT, type TestStack, until } from '../support/stack.ts';
import { type Middlebox, startMiddlebox } from './middlebox.ts';
import { type Ruby, startRuby } from './ruby.ts';

const SECRET = 'rails-example-'.padEnd(48, '0');

/** What a Ruby expression gives when it raises. */
export interface Failure {
  class: string;
  code: string;
  message: string;
  status?: number;
  certain?: boolean;
}
export interface ToolMessage {
  role: string;
  tool_call_id: string;
  content: string;
}

/** The product, the example's Ruby, and what stands between them. */
export interface Rails {
  readonly t: TestStack;
  readonly ruby: Ruby;
  readonly box: Middlebox;
  /** Where the example keeps apps' files and its records. */
  readonly storage: string;
  /** A file of an app as the example has it. */
  local(app: string, path: string): string;
  runsOf(app: string): Promise<{ run_id: string }[]>;
  /** Waits until as many runs of the app are listed. */
  listed(app: string, count: number): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startRails(): Promise<Rails> {
  const storage = mkdtempSync(join(tmpdir(), 'toolstream-rails-'));
  const t = await startTestStack({ jwtSecret: SECRET });
  const box = await startMiddlebox(t.url);
  const stop = async () => {
    await box.close();
    await t.stop();
    rmSync(storage, { recursive: true, force: true });
  };
  const env = {
    TOOLSTREAM_URL: box.url,
    TOOLSTREAM_JWT_SECRET: SECRET,
    TOOLSTREAM_TENANT: TENANT,
    STORAGE: storage,
  };
  const ruby = await startRuby(env).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const client = t.client();
  const runsOf = async (app: string) => (await client.list({ app })).runs;
  return {
    t,
    ruby,
    box,
    storage,
    local: (app, path) => readFileSync(join(storage, 'apps', app, path), 'utf8'),
    runsOf,
    listed: (app, count) =>
      until(`${count} run(s) of ${app} are listed`, 10_000, async () =>
        (await runsOf(app)).length === count ? true : undefined,
      ),
    stop,
  };
}

export const write = (id: string, path: string, content: string) => ({
  id,
  name: 'os-write',
  arguments: { file_path: path, content },
});

export const steps = [{ id: 'a', name: 'steps', arguments: { steps: 100, ms: 100 } }];

/** A Ruby literal: JSON in a text, parsed there. */
export function literal(value: unknown): string {
  const text = JSON.stringify(value);
  return `JSON.parse(${JSON.stringify(text).replaceAll('#', '\\#')})`;
}

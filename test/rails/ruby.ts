import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { findRuby } from '@toolstream/testkit';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'rails');

export interface RubyRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The example's Ruby, as a process of its own. */
export interface Ruby {
  readonly example: string;
  /** A script or `-e` with the example's library loaded; warnings count as failures. */
  run(args: readonly string[], options?: { env?: Record<string, string>; stdin?: string }): Promise<RubyRun>;
  /** The value of an expression, or the `code` of what it raised. */
  evaluate<T>(expression: string, env?: Record<string, string>): Promise<T>;
}

export async function startRuby(base: Record<string, string>): Promise<Ruby> {
  const { path } = await findRuby();
  const run: Ruby['run'] = async (args, { env = {}, stdin = '' } = {}) => {
    // UTF-8 whatever the locale, as Rails sets it.
    const child = spawn(path, ['-w', '-E', 'UTF-8', ...args], { env: { ...process.env, ...base, ...env } });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (/warning:/.test(err)) throw new Error(`Ruby warns: ${err}`);
    return { code, out, err };
  };
  return {
    example: EXAMPLE,
    run,
    async evaluate<T>(expression: string, env = {}) {
      const script = `# encoding: utf-8\n${PREAMBLE}\nputs JSON.generate(begin\n${expression}\nrescue Toolstream::Error => error\nfailure(error)\nend)`;
      const { code, out, err } = await run(['-I', join(EXAMPLE, 'lib'), '-r', 'toolstream', '-e', script], { env });
      if (code !== 0) throw new Error(`Ruby ended with ${code}: ${err}`);
      return JSON.parse(out) as T;
    },
  };
}

const PREAMBLE = `
  def client(secret: ENV.fetch("TOOLSTREAM_JWT_SECRET"), tenant: ENV.fetch("TOOLSTREAM_TENANT"))
    Toolstream::Client.new(url: ENV.fetch("TOOLSTREAM_URL"), secret: secret, tenant: tenant)
  end

  def failure(error)
    { class: error.class.name, code: error.code, message: error.message }.merge(
      error.respond_to?(:status) ? { status: error.status } : {},
      error.respond_to?(:nothing_accepted?) ? { certain: error.nothing_accepted? } : {}
    )
  end`;

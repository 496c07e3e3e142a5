import { createClient } from '@toolstream/client';
import { readCommandLine } from '../command-line.ts';
import { EXIT, explain, Failure } from '../exit-codes.ts';
import { exitCodeOf, follow } from '../follow.ts';
import { sampleRun } from '../sample/sample-run.ts';
import type { Stack } from '../supervisor/index.ts';
import { DEVELOPMENT_SCOPE } from '../target.ts';
import { mintDevelopmentToken, mintToken } from '../token.ts';
import { aborted } from '../up/signals.ts';
import { welcome } from '../up/welcome.ts';
import { withStack } from './up.ts';

const HELP = `toolstream demo: start everything, hand over a sample run that writes a small web app, follow it, and stay up

ONCE=1 stops everything when the run has ended: exit code 0 if it succeeded, 1 if not.
Otherwise configured as toolstream up is; on parts of your own give a token with TOOLSTREAM_TOKEN.`;

const APP = 'demo';

export async function demo(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  readCommandLine({ name: 'demo', help: HELP, positionals: [], options: {} }, args);
  const once = env.ONCE !== undefined && env.ONCE !== '' && env.ONCE !== '0';
  // While the run is painted, what the stack has to say goes above it.
  let say = (line: string): void => void process.stderr.write(`${line}\n`);
  say('Starting NATS, Postgres and the services.');
  const work = async (stack: Stack, stop: AbortSignal): Promise<number> => {
    if (!once) process.stdout.write(`${await welcome(stack)}\n`);
    const code = await runSample(stack, env, stop, (above) => {
      say = above;
    });
    if (!once && !stop.aborted) {
      process.stdout.write('Everything stays up until Ctrl-C.\n');
      await aborted(stop);
      return EXIT.ok;
    }
    return stop.aborted && !once ? EXIT.ok : code;
  };
  return withStack(env, work, { log: (line) => say(line) });
}

async function runSample(
  stack: Stack,
  env: NodeJS.ProcessEnv,
  stop: AbortSignal,
  onScreen: (above: (text: string) => void) => void,
): Promise<number> {
  const [edge = ''] = stack.edgeUrls;
  const client = createClient({ url: edge, token: tokenFor(stack, env) });
  const stderr = (line: string): void => void process.stderr.write(`${line}\n`);
  try {
    const { run_id } = await client.submit(sampleRun(APP), { signal: stop });
    process.stdout.write(`Watch it in the browser: ${await runPage(edge, run_id, stack)}\n\n`);
    const watch = client.watch(run_id, { cursor: 'start' });
    const state = await follow(client, watch, { stream: process.stdout, env, signal: stop, onScreen }).finally(() =>
      onScreen(stderr),
    );
    process.stdout.write(await farewell(edge, run_id, stack));
    return exitCodeOf(state);
  } catch (error) {
    if (stop.aborted) return EXIT.interrupted;
    const { message, exitCode } = explain(error);
    stderr(`The sample run did not work: ${message}`);
    return exitCode;
  } finally {
    client.close();
  }
}

function tokenFor(stack: Stack, env: NodeJS.ProcessEnv): string | (() => Promise<string>) {
  const secret = stack.jwtSecret;
  if (secret) return () => mintToken(secret, { sub: 'dev', tenant: 'dev', scope: DEVELOPMENT_SCOPE, apps: '*' });
  if (env.TOOLSTREAM_TOKEN) return env.TOOLSTREAM_TOKEN;
  throw new Failure(EXIT.usage, 'No token for the sample run: set TOOLSTREAM_TOKEN.');
}

async function farewell(edge: string, run: string, stack: Stack): Promise<string> {
  return `
  console      ${await runPage(edge, run, stack)}
  watch again  npm run toolstream -- watch ${run} --cursor start

`;
}

/** The run's page in the console, with a token where this process can make one: opening it signs in. */
async function runPage(edge: string, run: string, { jwtSecret }: Stack): Promise<string> {
  const address = `${edge.replace('127.0.0.1', 'localhost')}/runs/${run}`;
  return jwtSecret ? `${address}#token=${await mintDevelopmentToken(jwtSecret)}` : address;
}

import { createClient } from '@toolstream/client';
import { readCommandLine, TARGET_HELP, TARGET_OPTIONS } from '../command-line.ts';
import { EXIT } from '../exit-codes.ts';
import { exitCodeOf, follow } from '../follow.ts';
import { interruptSignal } from '../interrupt.ts';
import { checkedFormat, printResults } from '../results.ts';
import { readInput, submissionOf } from '../submission.ts';
import { findTarget } from '../target.ts';

const HELP = `toolstream run FILE: hand over tool calls and follow the run

FILE is JSON ("-": standard input): the body of POST /v1/runs, or what an OpenAI or Anthropic API answered with.

  --app APP          the app that the run belongs to; needed where the file names none
  --mode MODE        sequential (default) or parallel
  --message-id ID    the chat message that the run answers
  --key KEY          Idempotency-Key: handing over twice with the same key makes one run
  --no-watch         print the run's id, and do not wait
  --json             one JSON object a line, whatever happens
  --results FORMAT   at the end, print what the model is to be told: openai, openai-responses, anthropic or native
${TARGET_HELP}

Exit code: 0 if every call succeeded, 1 if not; 0 with --no-watch once the run is accepted.`;

export async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { values, positionals } = readCommandLine(
    {
      name: 'run',
      help: HELP,
      positionals: ['FILE'],
      options: {
        ...TARGET_OPTIONS,
        app: { type: 'string' },
        mode: { type: 'string' },
        'message-id': { type: 'string' },
        key: { type: 'string' },
        watch: { type: 'boolean', default: true },
        json: { type: 'boolean' },
        results: { type: 'string' },
      },
    },
    args,
  );
  const file = positionals[0]!;
  const format = checkedFormat(values.results);
  const request = submissionOf(readInput(file), file === '-' ? 'Standard input' : file, values);
  const client = createClient(findTarget(values, env));
  const { signal, release } = interruptSignal();
  try {
    const key = values.key === undefined ? {} : { idempotencyKey: values.key };
    const { run_id } = await client.submit(request, { signal, ...key });
    if (!values.watch) {
      process.stdout.write(`${run_id}\n`);
      return EXIT.ok;
    }
    const stream = format ? process.stderr : process.stdout;
    const watched = client.watch(run_id, { cursor: 'start' });
    const state = await follow(client, watched, { stream, env, json: values.json ?? false, signal });
    if (format) await printResults(client, run_id, format);
    return exitCodeOf(state);
  } finally {
    release();
    client.close();
  }
}

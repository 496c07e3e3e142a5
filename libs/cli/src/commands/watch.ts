import { createClient } from '@toolstream/client';
import { isRunId } from '@toolstream/proto-events';
import { readCommandLine, TARGET_HELP, TARGET_OPTIONS } from '../command-line.ts';
import { usage } from '../exit-codes.ts';
import { exitCodeOf, follow } from '../follow.ts';
import { interruptSignal } from '../interrupt.ts';
import { checkedFormat, printResults } from '../results.ts';
import { findTarget } from '../target.ts';

const HELP = `toolstream watch RUN: follow a run until it ends

  --cursor CURSOR    go on after this cursor; "start" shows the run from its first event
  --json             one JSON object a line, whatever happens
  --results FORMAT   at the end, print what the model is to be told: openai, openai-responses, anthropic or native
${TARGET_HELP}

Exit code: 0 if every call succeeded, 1 if not.`;

export async function watch(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { values, positionals } = readCommandLine(
    {
      name: 'watch',
      help: HELP,
      positionals: ['RUN'],
      options: {
        ...TARGET_OPTIONS,
        cursor: { type: 'string' },
        json: { type: 'boolean' },
        results: { type: 'string' },
      },
    },
    args,
  );
  const run = positionals[0]!;
  if (!isRunId(run)) throw usage(`${run} is no run id; it is what POST /v1/runs and toolstream run answer with.`);
  const format = checkedFormat(values.results);
  const client = createClient(findTarget(values, env));
  const { signal, release } = interruptSignal();
  try {
    // Whether the run exists, and whether anybody is there, is told at once; a watch would wait for the service.
    await client.get(run, { signal });
    const watched = client.watch(run, values.cursor === undefined ? {} : { cursor: values.cursor });
    const stream = format ? process.stderr : process.stdout;
    const state = await follow(client, watched, { stream, env, json: values.json ?? false, signal });
    if (format) await printResults(client, run, format);
    return exitCodeOf(state);
  } finally {
    release();
    client.close();
  }
}

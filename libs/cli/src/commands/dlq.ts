import { type Client, createClient } from '@toolstream/client';
import { type DeadLetterItem, deadLetterId } from '@toolstream/proto-events';
import { readCommandLine, TARGET_HELP, TARGET_OPTIONS } from '../command-line.ts';
import { EXIT, usage } from '../exit-codes.ts';
import { interruptSignal } from '../interrupt.ts';
import { plain } from '../render/text.ts';
import { findTarget } from '../target.ts';

const HELP = `toolstream dlq ACTION [ID]: dead letters, the jobs that were delivered too often without an end

  list               the most recently changed first
  show ID            one of them, with its arguments, as JSON
  redrive ID         run its call again: in its run while that is live, in a new run once it has ended

  --app APP          list: of one app
  --limit N          list: at most so many; default 50
  --before PLACE     list: the page after the one that named this place
  --json             list: one JSON object a line; redrive: one JSON object
  --reason TEXT      redrive: why, kept with the dead letter
${TARGET_HELP}

The token needs the scope admin. A dead letter is redriven once: doing it again shows what the first time led to.`;

const ACTIONS = new Set(['list', 'show', 'redrive']);

export async function dlq(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const action = args.find((arg) => ACTIONS.has(arg));
  const takesId = action === 'show' || action === 'redrive';
  const { values, positionals } = readCommandLine(
    {
      name: 'dlq',
      help: HELP,
      positionals: takesId ? ['ACTION', 'ID'] : ['ACTION'],
      options: {
        ...TARGET_OPTIONS,
        app: { type: 'string' },
        limit: { type: 'string' },
        before: { type: 'string' },
        json: { type: 'boolean', default: false },
        reason: { type: 'string' },
      },
    },
    args,
  );
  if (positionals[0] !== action) {
    throw usage(`${positionals[0]} is nothing to do with dead letters: choose list, show or redrive.`);
  }
  const id = positionals[1] ?? '';
  if (takesId && !deadLetterId.safeParse(id).success) {
    throw usage(`${id} is no id of a dead letter; toolstream dlq list shows them.`);
  }
  const client = createClient(findTarget(values, env));
  const { signal, release } = interruptSignal();
  try {
    if (action === 'show') print(JSON.stringify(await client.deadLetter(id, { signal }), null, 2));
    else if (action === 'redrive') await redrive(client, id, values, signal);
    else await list(client, values, signal);
    return EXIT.ok;
  } finally {
    release();
    client.close();
  }
}

interface Wishes {
  readonly app?: string | undefined;
  readonly limit?: string | undefined;
  readonly before?: string | undefined;
  readonly json: boolean;
  readonly reason?: string | undefined;
}

async function list(client: Client, { app, limit, before, json }: Wishes, signal: AbortSignal): Promise<void> {
  if (limit !== undefined && !/^[1-9]\d{0,2}$/.test(limit)) throw usage(`${limit} is no limit: choose 1 to 200.`);
  const filter = {
    ...(app === undefined ? {} : { app }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(before === undefined ? {} : { before }),
  };
  const { entries, next } = await client.deadLetters(filter, { signal });
  for (const entry of entries) print(json ? JSON.stringify(entry) : lineOf(entry));
  if (!json && entries.length === 0) print('There are no dead letters.');
  if (next !== undefined) process.stderr.write(`There are more: toolstream dlq list --before ${next}\n`);
}

async function redrive(client: Client, id: string, { json, reason }: Wishes, signal: AbortSignal): Promise<void> {
  const redriven = await client.redrive(id, { signal, ...(reason === undefined ? {} : { reason }) });
  const { as, run_id, actor, at } = redriven;
  if (json) return print(JSON.stringify(redriven));
  const where = as === 'retry' ? `again in its run ${run_id}` : `in the new run ${run_id}, because its own had ended`;
  print(`The call runs ${where} (redriven by ${plain(actor)}, ${at}). Follow it: toolstream watch ${run_id}`);
}

function lineOf({ id, at, app, name, call_id, message, started, idempotent, redriven }: DeadLetterItem): string {
  const half = started && !idempotent ? ' It had begun, and is not safe to repeat.' : '';
  const fate = redriven ? ` Redriven by ${redriven.actor} at ${redriven.at} (${redriven.run_id}).` : '';
  return plain(`${at} ${id} ${app} ${name} (${call_id}): ${message}${half}${fate}`);
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

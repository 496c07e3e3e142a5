import { HelpWanted } from './command-line.ts';
import { EXIT, explain } from './exit-codes.ts';

const HELP = `toolstream: durable, replayable, live streaming of tool calls

  toolstream demo        start everything and follow a sample run
  toolstream up          start everything
  toolstream run FILE    hand over tool calls and follow the run
  toolstream watch RUN   follow a run
  toolstream dlq         list, show and redrive dead letters
  toolstream token       print a token for this machine's stack

Each has a --help of its own. In the repository: npm run toolstream -- COMMAND.`;

type Command = (args: readonly string[], env: NodeJS.ProcessEnv) => Promise<number>;

/** Loaded when it is called: printing a token must not wait for what a whole stack needs. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  demo: async () => (await import('./commands/demo.ts')).demo,
  up: async () => (await import('./commands/start.ts')).start,
  run: async () => (await import('./commands/run.ts')).run,
  watch: async () => (await import('./commands/watch.ts')).watch,
  dlq: async () => (await import('./commands/dlq.ts')).dlq,
  token: async () => (await import('./commands/token.ts')).token,
};

export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(`${HELP}\n`);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  try {
    if (!Object.hasOwn(COMMANDS, name)) {
      process.stderr.write(`There is no command ${name}: choose one of ${Object.keys(COMMANDS).join(', ')}.\n`);
      return EXIT.usage;
    }
    const command = await COMMANDS[name]!();
    return await command(rest, env);
  } catch (error) {
    if (error instanceof HelpWanted) {
      process.stdout.write(`${error.message}\n`);
      return EXIT.ok;
    }
    const { message, exitCode } = explain(error);
    process.stderr.write(`${message}\n`);
    return exitCode;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), process.env);

import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { EXIT, Failure, usage } from './exit-codes.ts';

export interface CommandSpec<O extends ParseArgsOptionsConfig> {
  readonly name: string;
  readonly help: string;
  readonly options: O;
  /** Names of the arguments that have to be given. */
  readonly positionals: readonly string[];
}

/** Asked for the help text: nothing else is done. */
export class HelpWanted extends Error {}

export function readCommandLine<const O extends ParseArgsOptionsConfig>(spec: CommandSpec<O>, args: readonly string[]) {
  const options = { ...spec.options, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parsed(spec, () =>
    parseArgs({ args: [...args], options, allowPositionals: true, allowNegative: true, strict: true }),
  );
  if ((values as { help?: boolean }).help) throw new HelpWanted(spec.help);
  const missing = spec.positionals[positionals.length];
  if (missing !== undefined) throw usage(`${missing} is missing. See toolstream ${spec.name} --help.`);
  if (positionals.length > spec.positionals.length) {
    throw usage(
      `${positionals[spec.positionals.length]} is one argument too many. See toolstream ${spec.name} --help.`,
    );
  }
  return { values, positionals };
}

function parsed<T>({ name }: { name: string }, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const sentence = (error instanceof Error ? error.message : String(error)).split('. ')[0]!;
    throw new Failure(EXIT.usage, `${sentence.replace(/\.$/, '')}. See toolstream ${name} --help.`);
  }
}

/** Options of every command that talks to a running edge. */
export const TARGET_OPTIONS = {
  url: { type: 'string' },
  token: { type: 'string' },
  'data-dir': { type: 'string' },
} as const;

export const TARGET_HELP = `  --url URL          the edge; default: TOOLSTREAM_URL, else the stack that runs on this machine
  --token TOKEN      default: TOOLSTREAM_TOKEN, else one made with the secret of that stack
  --data-dir DIR     whose stack; default: TOOLSTREAM_DATA_DIR, else .toolstream in the repository`;

import type { Client, ResultsFormat } from '@toolstream/client';
import { usage } from './exit-codes.ts';

const FORMATS: readonly ResultsFormat[] = ['openai', 'openai-responses', 'anthropic', 'native'];

export function checkedFormat(format: string | undefined): ResultsFormat | undefined {
  if (format === undefined || FORMATS.includes(format as ResultsFormat)) return format as ResultsFormat | undefined;
  throw usage(`${format} is no format of results: choose one of ${FORMATS.join(', ')}.`);
}

/** On stdout, alone: the progress went to stderr. */
export async function printResults(client: Client, run: string, format: ResultsFormat): Promise<void> {
  const { messages } = await client.results(run, format);
  process.stdout.write(`${JSON.stringify(messages, null, 2)}\n`);
}

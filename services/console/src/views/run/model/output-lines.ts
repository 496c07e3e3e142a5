import { OUTPUT_TAIL_CHARS, type ToolState } from '@toolstream/proto-events';

export interface OutputLine {
  readonly channel: string;
  readonly text: string;
}

type Output = NonNullable<ToolState['output']>;

const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f]/g;

/**
 * Output as lines, each of one channel. A program that redraws its line (`\r`) leaves the last drawing, and escape sequences
 * of terminals are taken out: they would be noise here.
 */
export function outputLines(output: Output | undefined): OutputLine[] {
  const lines: OutputLine[] = [];
  for (const { channel, text } of output ?? []) {
    if (text === '') continue;
    const parts = text.split('\n');
    // What follows a line feed at the end is no line yet.
    if (parts.at(-1) === '') parts.pop();
    for (const part of parts) lines.push({ channel, text: drawn(part) });
  }
  return lines;
}

function drawn(line: string): string {
  const clean = line.replace(ESCAPES, '');
  const redrawn = clean.endsWith('\r') ? clean.slice(0, -1) : clean;
  return redrawn.slice(redrawn.lastIndexOf('\r') + 1);
}

/** A state keeps the last 16 KiB of a call's output; whether there was more before that. */
export const isCut = (output: Output | undefined): boolean =>
  (output ?? []).reduce((sum, { text }) => sum + text.length, 0) >= OUTPUT_TAIL_CHARS;

const CHANNELS: Readonly<Record<string, string>> = {
  stdout: 'output',
  stderr: 'errors',
  toolstream: 'Toolstream',
};
export const channelWord = (channel: string): string => CHANNELS[channel] ?? channel;
export const isErrorChannel = (channel: string): boolean => channel === 'stderr' || channel === 'error';

/**
 * A position in the event log that a client can hand back: `<epoch>.<partition>:<stream sequence>`.
 * An app's cursor joins one position per partition with `,`. Opaque to clients.
 */
export interface Position {
  readonly epoch: string;
  readonly partition: number;
  readonly seq: number;
}

const POSITION = /^([A-Za-z0-9_-]{1,32})\.(\d{1,4}):(\d{1,15})$/;

/** Replays the whole run. */
export const CURSOR_START = 'start';

export const formatCursor = (position: Position): string => `${position.epoch}.${position.partition}:${position.seq}`;

export const formatCursors = (positions: readonly Position[]): string =>
  [...positions]
    .sort((a, b) => a.partition - b.partition)
    .map(formatCursor)
    .join(',');

export function parseCursor(text: string): Position | undefined {
  const match = POSITION.exec(text);
  if (!match) return undefined;
  const [, epoch, partition, seq] = match as unknown as [string, string, string, string];
  return { epoch, partition: Number(partition), seq: Number(seq) };
}

/** Parses an app's cursor; `undefined` if any part is malformed or a partition occurs twice. */
export function parseCursors(text: string): Position[] | undefined {
  if (text.length > 4096) return undefined;
  const positions: Position[] = [];
  for (const part of text.split(',')) {
    const position = parseCursor(part);
    if (!position || positions.some((p) => p.partition === position.partition)) return undefined;
    positions.push(position);
  }
  return positions;
}

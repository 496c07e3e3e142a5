import type { ToolstreamEvent } from '@toolstream/proto-events';

export interface HistoryFrame {
  readonly cursor: string;
  readonly event: ToolstreamEvent;
  /** Length of its line. */
  readonly bytes: number;
}

/** The `event` frames of a history, as many at a time as a piece of the answer completes. Throws where it is cut off. */
export async function* framesOf(history: ReadableStream<Uint8Array>): AsyncGenerator<HistoryFrame[]> {
  const reader = history.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      const frames = lines.flatMap(frameOf);
      if (frames.length > 0) yield frames;
    }
    if (rest !== '') throw new Error('The history ends in the middle of a line.');
  } finally {
    reader.cancel().catch(() => {});
  }
}

function frameOf(line: string): HistoryFrame[] {
  if (line === '') return [];
  const frame = JSON.parse(line) as { type: string; cursor: string; event: ToolstreamEvent };
  return frame.type === 'event' ? [{ cursor: frame.cursor, event: frame.event, bytes: line.length }] : [];
}

import { ToolstreamError } from './errors.ts';
import { Lines, LONGEST } from './lines.ts';

/**
 * The messages in a `text/event-stream`, whatever pieces it arrives in. One that was cut off is none; one that is longer than
 * any frame is an error, however many lines it has.
 */
export class SseParser {
  readonly #lines = new Lines();
  #data: string[] = [];
  #length = 0;
  #hints = 0;
  #retryMs: number | undefined;

  /** What the service said last about coming back, if it said anything after its greeting. */
  get retryMs(): number | undefined {
    return this.#hints > 1 ? this.#retryMs : undefined;
  }

  /** The `data` of the messages that this piece completes. */
  push(piece: string): string[] {
    const messages: string[] = [];
    for (const line of this.#lines.push(piece)) {
      if (line !== '') {
        this.#field(line);
      } else if (this.#data.length > 0) {
        messages.push(this.#data.join('\n'));
        this.#data = [];
        this.#length = 0;
      }
    }
    return messages;
  }

  /** A line that begins with a colon is a comment: it only shows that the stream lives. */
  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (name === 'data') this.#part(value);
    if (name !== 'retry' || !/^\d+$/.test(value)) return;
    this.#hints += 1;
    this.#retryMs = Number(value);
  }

  #part(data: string): void {
    // With the end of its line, so that empty ones count too.
    this.#length += data.length + 1;
    if (this.#length > LONGEST) throw new ToolstreamError('bad_answer', 'The service sent a message without an end.');
    this.#data.push(data);
  }
}

import { Lines } from './lines.ts';

/** The messages in a `text/event-stream`, whatever pieces it arrives in. One that was cut off is none. */
export class SseParser {
  readonly #lines = new Lines();
  #data: string[] = [];
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
      }
    }
    return messages;
  }

  /** A line that begins with a colon is a comment: it only shows that the stream lives. */
  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (name === 'data') this.#data.push(value);
    if (name !== 'retry' || !/^\d+$/.test(value)) return;
    this.#hints += 1;
    this.#retryMs = Number(value);
  }
}

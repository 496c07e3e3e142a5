import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ArtifactRef, EventData } from '@toolstream/proto-events';
import type { OutputChunk } from '@toolstream/tool-kit';

type OutputData = EventData<'tool.output.v1'>;

/** Channel of the events by which Toolstream itself speaks in a tool's output. */
const CHANNEL = 'toolstream';

/**
 * Output beyond the inline limit: one artifact per attempt, a JSON line `{channel, text}` per chunk, streamed to the
 * store as it comes (the store's pace is the writer's back-pressure). Its address is known when it is complete, so one
 * event says that the output continues elsewhere and another, before the attempt's end, where.
 */
export class OutputSpill {
  readonly #store: (content: PassThrough) => Promise<ArtifactRef>;
  #stream: PassThrough | undefined;
  #stored: Promise<ArtifactRef> | undefined;
  #failure: Error | undefined;

  constructor(store: (content: PassThrough) => Promise<ArtifactRef>) {
    this.#store = store;
  }

  /** Returns what the log should say of it, if anything. */
  async write(chunk: OutputChunk): Promise<OutputData | undefined> {
    if (this.#failure) return undefined;
    const first = this.#stream === undefined;
    const stream = this.#stream ?? this.#begin();
    if (!stream.write(`${JSON.stringify({ channel: chunk.channel, text: chunk.text })}\n`)) {
      await Promise.race([once(stream, 'drain').catch(() => {}), this.#stored?.catch(() => {})]);
    }
    if (this.#failure) return this.#notice();
    if (!first) return undefined;
    return { channel: CHANNEL, text: 'The output passed its inline limit; what follows is kept in an artifact.\n' };
  }

  /** Completes the artifact. Called at the end of the attempt; without spilled output it does nothing. */
  async finish(): Promise<OutputData[]> {
    if (!this.#stream || !this.#stored) return [];
    this.#stream.end();
    try {
      return [{ channel: CHANNEL, text: '', artifact: await this.#stored }];
    } catch {
      return [this.#notice()];
    }
  }

  /** The attempt is over without an end of its own. */
  discard(): void {
    this.#stream?.destroy();
  }

  #begin(): PassThrough {
    const stream = new PassThrough({ highWaterMark: 256 * 1024 });
    stream.on('error', () => {});
    this.#stream = stream;
    this.#stored = this.#store(stream);
    this.#stored.catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      stream.destroy();
    });
    return stream;
  }

  #notice(): OutputData {
    return { channel: CHANNEL, text: `The output beyond the inline limit was not kept: ${this.#failure?.message}\n` };
  }
}

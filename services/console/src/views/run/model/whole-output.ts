import type { ToolState, ToolstreamEvent } from '@toolstream/proto-events';

type Output = NonNullable<ToolState['output']>;

/** Characters that a page keeps of one attempt's output; the beginning is what goes. */
export const WHOLE_AT_MOST = 12 * 1024 * 1024;

/** Everything that one attempt wrote, piece by piece as the events come. */
export class WholeOutput {
  readonly #index: number;
  readonly #attempt: number;
  #parts: { channel: string; text: string }[] = [];
  #chars = 0;
  dropped = false;

  constructor(index: number, attempt: number) {
    this.#index = index;
    this.#attempt = attempt;
  }

  get parts(): Output {
    return this.#parts;
  }

  add(event: ToolstreamEvent): boolean {
    if (event.type !== 'tool.output.v1' || event.toolindex !== this.#index || event.attempt !== this.#attempt)
      return false;
    const { channel, text } = event.data;
    if (text === '') return false;
    const last = this.#parts.at(-1);
    if (last?.channel === channel && last.text.length < PART_CHARS) last.text += text;
    else this.#parts.push({ channel, text });
    this.#chars += text.length;
    while (this.#chars > WHOLE_AT_MOST && this.#parts.length > 1) {
      this.#chars -= this.#parts.shift()!.text.length;
      this.dropped = true;
    }
    return true;
  }
}

const PART_CHARS = 256 * 1024;

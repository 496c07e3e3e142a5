import { StringDecoder } from 'node:string_decoder';

/** What may wait to be sent: a tool that prints without end loses what is beyond, and is told of in its output. */
const WAITING_CHARS = 256 * 1024;

type PrintChannel = 'stdout' | 'stderr';

/** What a tool prints, as text: bytes that are no UTF-8 become U+FFFD, a character cut in two is put together again. */
export class ToolPrints {
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  #waiting: [PrintChannel, string][] = [];
  #chars = 0;
  #dropped = 0;

  add(channel: PrintChannel, chunk: string | Uint8Array): void {
    const text = typeof chunk === 'string' ? chunk : this.#decoders[channel].write(Buffer.from(chunk));
    if (text === '') return;
    if (this.#chars + text.length > WAITING_CHARS) {
      this.#dropped += text.length;
      return;
    }
    this.#chars += text.length;
    const last = this.#waiting.at(-1);
    if (last?.[0] === channel) last[1] += text;
    else this.#waiting.push([channel, text]);
  }

  take(): [PrintChannel, string][] {
    const taken = this.#waiting;
    if (this.#dropped > 0) taken.push(['stderr', `\n[${this.#dropped} printed characters were dropped]\n`]);
    this.#waiting = [];
    this.#chars = this.#dropped = 0;
    return taken;
  }
}

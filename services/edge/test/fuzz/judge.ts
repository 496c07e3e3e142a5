import { closeCodes, errorCodes, isErrorCode, serverFrames } from '@toolstream/proto-events';
import { problemSchema } from '../../src/problems.ts';
import type { RawResponse } from './raw-http.ts';

/** What RFC 6455 answers to what is no WebSocket traffic: protocol error, wrong data, bad UTF-8, too big … */
const OF_THE_PROTOCOL = [1002, 1003, 1007, 1009];
/** … and to a client's own goodbye: the same code, or none. */
const ECHOED = [1000, 1001, 1005, 3000];
const MOST_FINDINGS = 20;

/** Collects every answer that the contract does not allow, with what led to it. */
export class Judge {
  readonly findings: string[] = [];
  /** What was answered, by kind: types, codes, statuses. It shows how far the inputs got. */
  readonly seen = new Map<string, number>();

  find(what: string, about: unknown): void {
    if (this.findings.length >= MOST_FINDINGS) return;
    this.findings.push(`${what}: ${typeof about === 'string' ? about.slice(0, 600) : JSON.stringify(about)}`);
  }

  /** A frame of `/ws`. */
  frame(text: string): void {
    const frame = this.#json(text);
    const type = frame?.type;
    if (typeof type !== 'string' || !Object.hasOwn(serverFrames, type)) {
      this.find('no frame of the protocol', text);
      return;
    }
    this.#count(type);
    if (type === 'error') this.#code(frame?.code, text);
    if (type === 'bye' && !Object.hasOwn(closeCodes, String(frame?.code))) this.find('an unknown goodbye', text);
    const parsed = serverFrames[type as keyof typeof serverFrames].safeParse(frame);
    if (!parsed.success) this.find('a frame that its schema refuses', text);
  }

  /** A frame of another WebSocket address: only that it is JSON, and no fault of ours. */
  otherFrame(text: string): void {
    const frame = this.#json(text);
    const message = frame?.message as { action?: unknown } | undefined;
    this.#count(String(frame?.type ?? message?.action));
    if (frame && 'code' in frame) this.#code(frame.code, text);
  }

  closing(code: number | undefined): void {
    if (code === undefined) return;
    this.#count(`close ${code}`);
    if (![...OF_THE_PROTOCOL, ...ECHOED].includes(code) && !Object.hasOwn(closeCodes, code))
      this.find('an unknown close code', code);
  }

  response({ status, headers, body }: RawResponse, request: string): void {
    this.#count(`status ${status}`);
    if (status === 101 || (status >= 200 && status < 400)) return;
    const about = `${status} ${body.slice(0, 200)} ← ${request.slice(0, 400)}`;
    if (status < 400) {
      this.find('no answer of HTTP', about);
      return;
    }
    if (!headers['content-type']?.startsWith('application/problem+json')) {
      this.find('no problem document', about);
      return;
    }
    const problem = problemSchema.safeParse(this.#json(body));
    if (!problem.success) {
      this.find('a malformed problem document', about);
      return;
    }
    this.#code(problem.data.code, about);
    if (problem.data.status !== status) this.find('a problem with another status', about);
    if ((status === 429 || status === 503) && headers['retry-after'] === undefined) this.find('no Retry-After', about);
  }

  #code(code: unknown, about: string): void {
    this.#count(String(code));
    if (typeof code !== 'string' || !isErrorCode(code)) this.find('an unknown code', about);
    else if (errorCodes[code].status === 500) this.find('a fault', about);
  }

  #json(text: string): Record<string, unknown> | undefined {
    try {
      return JSON.parse(text) as Record<string, unknown>;
    } catch {
      this.find('not JSON', text);
      return undefined;
    }
  }

  #count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }
}

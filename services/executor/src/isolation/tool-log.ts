import type { Json } from '@toolstream/proto-events';
import type { LogLevel } from '@toolstream/tool-kit';
import { Allowance } from './allowance.ts';
import type { ToHost } from './wire.ts';

const LEVELS: ReadonlySet<string> = new Set<LogLevel>(['debug', 'info', 'warn', 'error']);
const LINE_CHARS = 8192;

/** A tool's lines on their way to the executor's log: bounded in length and number, and always fit to be sent. */
export class ToolLines {
  readonly #allowance = new Allowance(200, 50);
  #dropped = 0;

  line(level: LogLevel, message: string, fields?: { [key: string]: Json }): ToHost | undefined {
    if (!this.#allowance.take()) {
      this.#dropped += 1;
      return undefined;
    }
    const dropped = this.#dropped > 0 ? { dropped_lines: this.#dropped } : {};
    this.#dropped = 0;
    const kept = { ...plain(fields), ...dropped };
    return {
      t: 'log',
      level: LEVELS.has(level) ? level : 'info',
      message: String(message).slice(0, LINE_CHARS),
      ...(Object.keys(kept).length === 0 ? {} : { fields: kept }),
    };
  }
}

function plain(fields: unknown): { [key: string]: Json } {
  if (typeof fields !== 'object' || fields === null) return {};
  try {
    const text = JSON.stringify(fields);
    return text.length <= LINE_CHARS ? (JSON.parse(text) as { [key: string]: Json }) : { fields: 'too long to log' };
  } catch {
    return { fields: 'no JSON' };
  }
}

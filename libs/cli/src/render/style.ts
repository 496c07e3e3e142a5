import type { RunStatus, ToolStatus } from '@toolstream/proto-events';

/** How a terminal can be written to. A status is always a sign and a word; colour only repeats it. */
export interface Style {
  readonly colour: boolean;
  readonly unicode: boolean;
}

type Look = readonly [unicode: string, ascii: string, sgr: number];
type AnyStatus = ToolStatus | RunStatus;

const LOOKS: Record<AnyStatus, Look> = {
  accepted: ['·', '.', 2],
  pending: ['·', '.', 2],
  queued: ['…', ':', 36],
  running: ['▶', '>', 36],
  paused: ['‖', '"', 33],
  cancelling: ['■', 'x', 33],
  awaiting_approval: ['?', '?', 33],
  retrying: ['↻', '~', 33],
  succeeded: ['✓', '+', 32],
  failed: ['✗', 'X', 31],
  cancelled: ['■', 'x', 33],
  skipped: ['↷', '-', 2],
  denied: ['⊘', '!', 31],
};

const paint = (text: string, sgr: number, style: Style): string =>
  style.colour && text !== '' ? `\u001b[${sgr}m${text}\u001b[0m` : text;

export const sign = (status: AnyStatus, style: Style): string => LOOKS[status][style.unicode ? 0 : 1];
export const inStatusColour = (text: string, status: AnyStatus, style: Style): string =>
  paint(text, LOOKS[status][2], style);
export const dim = (text: string, style: Style): string => paint(text, 2, style);
export const bold = (text: string, style: Style): string => paint(text, 1, style);
export const ellipsis = (style: Style): string => (style.unicode ? '…' : '...');

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** `percent` is measured, never guessed: what knows no total has no bar. */
export function bar(percent: number, width: number, style: Style): string {
  const share = Math.min(100, Math.max(0, percent)) / 100;
  if (!style.unicode) {
    const done = Math.round(share * width);
    return `[${'#'.repeat(done)}${'-'.repeat(width - done)}]`;
  }
  const eighths = Math.round(share * width * 8);
  const done = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  return `│${done.padEnd(width)}│`;
}

/** What the environment and the stream allow: NO_COLOR, FORCE_COLOR, a locale without UTF-8, a dumb terminal. */
export function styleFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Style {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  const possible = stream.isTTY === true && env.TERM !== 'dumb';
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return {
    colour: !env.NO_COLOR && (forced || possible),
    unicode:
      locale === undefined ? process.platform !== 'win32' || env.WT_SESSION !== undefined : /utf-?8/i.test(locale),
  };
}

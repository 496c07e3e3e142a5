import type { ConnectionView } from '@toolstream/react';
import { duration } from '../format/index.ts';

export interface ConnectionWords {
  /** Two or three words, always visible. */
  readonly short: string;
  /** The whole of it. */
  readonly long: string;
  readonly tone: 'ok' | 'warn' | 'bad' | 'still';
}

const CARRIED = { websocket: 'a WebSocket', sse: 'event streams over HTTP', polling: 'repeated requests' } as const;

/** How it stands with the connection, in words. Runs go on while nobody is connected, and that is said too. */
export function connectionWords(view: ConnectionView, now: number): ConnectionWords {
  const { status, transport, reason, retry_at } = view;
  switch (status) {
    case 'open':
      return {
        short: transport === 'polling' ? 'Live, slower' : 'Live',
        long: `Events arrive over ${CARRIED[transport]}.${blockedWords(reason)}`,
        tone: 'ok',
      };
    case 'idle':
      return { short: 'Idle', long: 'Nothing on this page is followed live.', tone: 'still' };
    case 'connecting':
      return { short: 'Connecting', long: 'Connecting. Runs go on meanwhile.', tone: 'warn' };
    case 'waiting': {
      const left = retry_at === undefined ? undefined : Math.max(0, Math.ceil((retry_at - now) / 1000));
      const when = left === undefined ? 'Reconnecting soon' : left === 0 ? 'Reconnecting' : `Reconnecting in ${left} s`;
      return { short: when, long: `${whyWords(reason)} Runs go on meanwhile; nothing is lost.`, tone: 'warn' };
    }
    case 'closed':
      return { short: 'Not connected', long: `${whyWords(reason)} Reload the page to connect again.`, tone: 'bad' };
  }
}

/** After an interruption: how long it was. What happened meanwhile has been caught up on. */
export function awayWords({ interruption }: ConnectionView): string | undefined {
  if (interruption?.to === undefined) return undefined;
  return `Away for ${duration(interruption.to - interruption.from)}, caught up since.`;
}

function blockedWords(reason: string | undefined): string {
  if (reason === 'websocket_blocked') return ' WebSockets are blocked on the way here.';
  if (reason === 'sse_blocked') return ' WebSockets and streams are blocked on the way here.';
  return '';
}

function whyWords(reason: string | undefined): string {
  switch (reason) {
    case undefined:
      return 'The connection was lost.';
    case 'unreachable':
      return 'The service cannot be reached.';
    case 'drain':
      return 'The service is being restarted.';
    case 'frozen':
      return 'The browser froze this page.';
    case 'token_expired':
    case 'token_unavailable':
      return 'A fresh token is needed.';
    default:
      return `The connection was lost (${reason.replaceAll('_', ' ')}).`;
  }
}

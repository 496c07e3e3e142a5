import type { ServerFrame } from '@toolstream/proto-events';
import type { ApiError, ToolstreamError } from './errors.ts';
import type { Http } from './http.ts';
import type { RequestTiming } from './request-timing.ts';
import type { Standing, Target } from './transport.ts';

/** What the transports over plain HTTP are made of. */
export interface FeedOptions {
  readonly http: Http;
  readonly timing: RequestTiming;
  readonly now: () => number;
  readonly random: () => number;
  /** As over a socket: `undefined` for what is no frame. */
  readFrame(data: string): ServerFrame | undefined;
  /** What an error frame says. */
  refusal(frame: { readonly code: string; readonly message: string }): ApiError;
  /** How a subscription fares has changed. */
  onStanding(): void;
  /** Nobody with these credentials gets in. */
  onFatal(error: ToolstreamError): void;
  /** Something is in the way of streams. */
  onBlocked(): void;
}

export const eventsPath = (target: Target): string => {
  const [kind, id] = 'run' in target ? ['runs', target.run] : ['apps', 'app' in target ? target.app : ''];
  return `/v1/${kind}/${encodeURIComponent(id)}/events`;
};

export const contentType = (response: Response): string | null => response.headers.get('content-type');

/** The text of an answer, piece by piece as it arrives. Ends where the answer ends; throws where it is cut off. */
export async function* pieces(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** The best of several: one open stream is a connection. */
export function overall(standings: Iterable<Standing>): Standing | undefined {
  let best: Standing | undefined;
  for (const standing of standings) if (!best || before(standing, best)) best = standing;
  return best;
}

const RANK = { open: 0, connecting: 1, waiting: 2 } as const;

const before = (a: Standing, b: Standing): boolean =>
  a.status === b.status ? (a.retry_at ?? 0) < (b.retry_at ?? 0) : RANK[a.status] < RANK[b.status];

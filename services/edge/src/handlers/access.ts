import { parseCursors, type RunAddress, runId, token } from '@toolstream/proto-events';
import { z } from 'zod';
import { type Principal, requireApp } from '../auth/principal.ts';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import type { Transport } from '../socket/admission.ts';
import { whenGone } from '../socket/gone.ts';
import type { Call } from './route.ts';

export const runParams = z.object({ id: runId });
export const toolParams = z.object({
  id: runId,
  index: z
    .string()
    .regex(/^(0|[1-9]\d{0,2})$/)
    .transform(Number),
});
export const appParams = z.object({ app: token });

/** The caller's run. Another tenant's run is not found, like one that does not exist. */
export async function runOf(
  { reader }: Pick<Services, 'reader'>,
  principal: Principal,
  run: string,
): Promise<RunAddress> {
  const address = await reader.locate(principal.tenant, run);
  if (!address) throw new Refusal('not_found', 'There is no such run.');
  requireApp(principal, address.app);
  return address;
}

/**
 * A place for an answer that lasts, taken before anything is prepared for it and given back when the response ends, however
 * it ends.
 */
export function admitStream(
  { admission }: Pick<Services, 'admission'>,
  { principal, request, reply }: Pick<Call, 'principal' | 'request' | 'reply'>,
  transport: Transport,
): void {
  const place = admission.admit(transport, request.ip);
  whenGone(reply.raw, () => place.release());
  place.claim(principal);
}

/** Whether the caller takes a stream of server-sent events; who does not say takes anything. */
export const acceptsEventStream = ({ headers }: Call['request']): boolean =>
  /\btext\/event-stream\b|\btext\/\*|\*\/\*/i.test(headers.accept ?? '*/*');

/** How long a read waits to include `min_cursor`. */
const WAIT_MS = 2_000;
const LOOK_EVERY_MS = 40;

/** Partition → sequence that an answer must include. */
export function minimum({ log }: Pick<Services, 'log'>, cursor: string | undefined): Map<number, number> {
  if (cursor === undefined) return new Map();
  const positions = parseCursors(cursor);
  if (!positions) throw new Refusal('bad_cursor');
  for (const { partition, epoch } of positions) {
    if (partition >= log.partitions || log.epoch(partition) !== epoch) {
      throw new Refusal('bad_cursor', 'min_cursor belongs to another event log.');
    }
  }
  return new Map(positions.map(({ partition, seq }) => [partition, seq]));
}

/** Waits until `reached` says so, at most 2 s; then the caller is told to come back. */
export async function waitFor(
  least: Map<number, number>,
  positions: () => Promise<Map<number, number>>,
): Promise<void> {
  if (least.size === 0) return;
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const now = await positions();
    if ([...least].every(([partition, seq]) => (now.get(partition) ?? 0) >= seq)) return;
    if (performance.now() >= deadline) throw new Refusal('projection_behind', undefined, { retryAfterS: 1 });
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

export async function projectionReaches(services: Services, cursor: string | undefined): Promise<void> {
  await waitFor(minimum(services, cursor), async () => {
    const rows = await services.projection.positions(WAIT_MS);
    return new Map(rows.map((row) => [row.partition, row.epoch === services.log.epoch(row.partition) ? row.seq : 0]));
  });
}

/** What a read of the log sees: the leader's last sequences. */
export async function logReaches({ log }: Pick<Services, 'log'>, cursor: string | undefined): Promise<void> {
  const least = minimum({ log }, cursor);
  await waitFor(least, async () => {
    const lasts = await Promise.all([...least.keys()].map(async (p) => [p, await log.lastSeq(p)] as const));
    return new Map(lasts);
  });
}

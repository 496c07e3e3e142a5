import type pg from 'pg';

/** A partition's row in `positions`: everything up to `seq` of stream incarnation `epoch` is in the tables. */
export interface PositionRow {
  readonly epoch: string;
  readonly seq: number;
  readonly event_id: string | null;
}

/** Another projection is active in this partition. Whatever was folded since the last commit is void. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';
}

export interface Claim {
  readonly schema: string;
  readonly partition: number;
  /** `<instance>/<unique>`: unique to this life of the projector. */
  readonly holder: string;
}

export interface ClaimTerms {
  /** Epoch of a partition that has no row yet. */
  readonly epoch: string;
  readonly leaseMs: number;
  /** Also push out a holder of the same instance: an earlier life of it. */
  readonly eager: boolean;
}

/**
 * Takes the partition: at once if nobody holds it or this projector does already, else when its holder has not been
 * heard of for `leaseMs` by Postgres' clock. Returns the holder that stands in the way otherwise. A holder that was
 * wrongly thought dead loses nothing but its next transaction.
 */
export async function claimPosition(
  client: pg.Client,
  { schema, partition, holder }: Claim,
  { epoch, leaseMs, eager }: ClaimTerms,
): Promise<{ taken: PositionRow; from: string | null } | { heldBy: string | null }> {
  await client.query(
    `insert into ${schema}.positions (partition, epoch, seq, updated_at) values ($1, $2, 0, now()) on conflict do nothing`,
    [partition, epoch],
  );
  const mine = eager ? `${holder.slice(0, holder.lastIndexOf('/'))}/` : holder;
  const { rows } = await client.query<PositionRow & { before: string | null }>(
    `update ${schema}.positions p set holder = $2, updated_at = now()
     from (select holder from ${schema}.positions where partition = $1 for update) old
     where p.partition = $1
       and (p.holder is null or left(p.holder, length($3)) = $3 or p.updated_at < now() - make_interval(secs => $4))
     returning p.epoch, p.seq::float8 as seq, p.event_id, old.holder as before`,
    [partition, holder, mine, leaseMs / 1000],
  );
  const row = rows[0];
  if (row) return { taken: { epoch: row.epoch, seq: row.seq, event_id: row.event_id }, from: row.before };
  const held = await client.query<{ holder: string | null }>(
    `select holder from ${schema}.positions where partition = $1`,
    [partition],
  );
  return { heldBy: held.rows[0]?.holder ?? null };
}

export interface Advance {
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly eventId: string;
  /** When the server stored the event at `to`, in ms since 1970. */
  readonly eventAt: number;
}

/** The compare-and-set inside a batch's transaction. It comes first: nothing else is written by who does not hold the row. */
export async function advancePosition(client: pg.Client, claim: Claim, advance: Advance): Promise<void> {
  const { rowCount } = await client.query({
    name: `advance_${claim.schema}`,
    text: `update ${claim.schema}.positions
           set seq = $5, event_id = $6, event_at = to_timestamp($7::float8 / 1000), updated_at = now()
           where partition = $1 and holder = $2 and epoch = $3 and seq = $4`,
    values: [
      claim.partition,
      claim.holder,
      advance.epoch,
      advance.from,
      advance.to,
      advance.eventId === '' ? null : advance.eventId,
      advance.eventAt,
    ],
  });
  if (rowCount !== 1) throw superseded(claim);
}

/** Says "still here" while there is nothing to write. */
export async function keepPosition(client: pg.Client, claim: Claim): Promise<void> {
  const { rowCount } = await client.query(
    `update ${claim.schema}.positions set updated_at = now() where partition = $1 and holder = $2`,
    [claim.partition, claim.holder],
  );
  if (rowCount !== 1) throw superseded(claim);
}

/** Gives the partition back, so that a successor need not wait for the lease to run out. Waits 1 s at most. */
export async function releasePosition(client: pg.Client, claim: Claim): Promise<void> {
  const query: pg.QueryConfig & { query_timeout: number } = {
    text: `update ${claim.schema}.positions set holder = null where partition = $1 and holder = $2`,
    values: [claim.partition, claim.holder],
    query_timeout: 1_000,
  };
  await client.query(query);
}

const superseded = (claim: Claim): SupersededError =>
  new SupersededError(`partition ${claim.partition} was taken over by another projection`);

/** What may become one token of a NATS subject or KV key: no `.`, `*`, `>` or space can get through. */
export const TOKEN_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

export const isToken = (value: unknown): value is string => typeof value === 'string' && TOKEN_PATTERN.test(value);

/** `<partition>-<ulid>`: the partition is part of the id, so a run's stream is known from its id alone. */
export const RUN_ID_PATTERN = /^(\d{1,4})-[0-9A-HJKMNP-TV-Z]{26}$/;

export const isRunId = (value: unknown): value is string => typeof value === 'string' && RUN_ID_PATTERN.test(value);

/** The partition of a run, or `undefined` for what is no run id. */
export function partitionOfRun(id: string): number | undefined {
  const match = RUN_ID_PATTERN.exec(id);
  return match ? Number(match[1]) : undefined;
}

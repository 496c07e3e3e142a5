import { randomInt } from 'node:crypto';
import { ulid } from 'ulid';

/** `<partition>-<ulid>`, new with every call. */
export const newRunId = (partitions: number): string => `${randomInt(partitions)}-${ulid()}`;

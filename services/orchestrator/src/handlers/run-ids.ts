import { randomInt } from 'node:crypto';
import { newUlid } from '@toolstream/service-kit';

/** `<partition>-<ulid>`, new with every call. */
export const newRunId = (partitions: number): string => `${randomInt(partitions)}-${newUlid()}`;

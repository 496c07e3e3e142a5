import type { NatsConnection } from '@nats-io/nats-core';
import { StreamMismatchError } from './errors.ts';

/** First version with message schedules; batch direct get and pinned clients came earlier. Older ones ignore unknown headers silently. */
export const MINIMUM_SERVER = '2.12.0';

const numbers = (version: string): number[] => version.split(/[.-]/).slice(0, 3).map(Number);

export function requireServer(nc: NatsConnection): void {
  const version = nc.info?.version;
  if (version === undefined) return;
  const [has, needs] = [numbers(version), numbers(MINIMUM_SERVER)];
  for (let i = 0; i < 3; i++) {
    const difference = (has[i] ?? 0) - (needs[i] ?? 0);
    if (difference > 0) return;
    if (difference < 0) {
      throw new StreamMismatchError([`the server is ${version}`], `Use nats-server ${MINIMUM_SERVER} or newer.`);
    }
  }
}

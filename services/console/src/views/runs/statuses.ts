import type { RunStatus } from '@toolstream/proto-events';

export const RUN_STATUSES: readonly RunStatus[] = [
  'accepted',
  'running',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
];

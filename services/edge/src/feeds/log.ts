import type { EventLog } from '@toolstream/event-log';

/** What of the event log the edge uses: it reads, it never appends. */
export type EdgeLog = Pick<
  EventLog,
  | 'partitions'
  | 'epoch'
  | 'refreshEpochs'
  | 'cursor'
  | 'lastSeq'
  | 'lastOf'
  | 'firstOf'
  | 'isIntact'
  | 'read'
  | 'readRun'
  | 'follow'
>;

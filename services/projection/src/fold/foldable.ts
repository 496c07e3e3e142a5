import type { ToolstreamEvent } from '@toolstream/proto-events';

/** An event as it arrives: addressed by its subject and headers, decoded only when the fold needs it. */
export interface FoldableEvent {
  readonly seq: number;
  readonly run: string;
  readonly writer: 'run' | number;
  readonly type: string;
  event(): ToolstreamEvent;
}

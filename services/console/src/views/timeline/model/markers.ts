import { RUN_END_TYPES, type ToolstreamEvent, VOLATILE_TYPES } from '@toolstream/proto-events';

export type MarkerKind = 'question' | 'answer' | 'failure' | 'command' | 'checkpoint' | 'release' | 'end';

/** An event worth a mark of its own: bars show where something begins and ends, not why. */
export interface Marker {
  readonly kind: MarkerKind;
  readonly index: number;
  readonly at: number;
}

const KINDS: Readonly<Record<string, MarkerKind>> = {
  'tool.approval_requested.v1': 'question',
  'tool.approved.v1': 'answer',
  'tool.denied.v1': 'answer',
  'tool.failed.v1': 'failure',
  'tool.cancel_requested.v1': 'command',
  'tool.cancel_acknowledged.v1': 'answer',
  'tool.retry_requested.v1': 'command',
  'tool.released.v1': 'release',
  'tool.checkpointed.v1': 'checkpoint',
  'run.paused.v1': 'command',
  'run.resumed.v1': 'command',
  'run.cancel_requested.v1': 'command',
  'run.command_noted.v1': 'command',
};

export function markerOf(event: ToolstreamEvent, index: number, at: number): Marker | undefined {
  const kind = RUN_END_TYPES.has(event.type) ? 'end' : KINDS[event.type];
  return kind && { kind, index, at };
}

/** Lifecycle: what changes where a run or a call stands, as opposed to what it reports on the way. */
export const isNotable = (type: string): boolean => !VOLATILE_TYPES.has(type) && type !== 'tool.checkpointed.v1';

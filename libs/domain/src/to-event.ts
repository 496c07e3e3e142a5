import { eventSubjectAttribute, type ToolstreamEvent } from '@toolstream/proto-events';
import type { Draft } from './types.ts';

export interface Stamp {
  /** Used where the draft brings no id of its own. */
  readonly id: string;
  /** Who writes: `toolstream/<instance>`. */
  readonly source: string;
  readonly at: string;
  readonly traceparent?: string | undefined;
}

/** Puts a draft into its CloudEvents envelope. */
export function toEvent(
  draft: Draft,
  run: { readonly run_id: string; readonly tenant: string; readonly app: string },
  stamp: Stamp,
): ToolstreamEvent {
  return {
    specversion: '1.0',
    id: draft.id ?? stamp.id,
    source: stamp.source,
    type: draft.type,
    time: stamp.at,
    subject: eventSubjectAttribute(run.run_id, draft.writer),
    datacontenttype: 'application/json',
    runid: run.run_id,
    ...(draft.toolindex === undefined ? {} : { toolindex: draft.toolindex }),
    ...(draft.attempt === undefined ? {} : { attempt: draft.attempt }),
    tenant: run.tenant,
    app: run.app,
    ...(draft.actor === undefined ? {} : { actor: draft.actor }),
    ...(stamp.traceparent === undefined ? {} : { traceparent: stamp.traceparent }),
    data: draft.data,
  } as ToolstreamEvent;
}

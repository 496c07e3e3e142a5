import { formatCursor, type ServerFrame, type ToolstreamEvent } from '@toolstream/proto-events';

/** Builders of a run's history, for tests: events as the log holds them, with the sequences of a shared stream. */
export interface Recorded {
  readonly event: ToolstreamEvent;
  readonly seq: number;
}

export const RUN = '0-01JQZX5M9G7V3T8R2KQWERTYAB';
export const EPOCH = 'e1';
export const cursorAt = (seq: number, epoch = EPOCH): string => formatCursor({ epoch, partition: 0, seq });

export function anEvent(
  type: ToolstreamEvent['type'],
  data: unknown,
  more: { toolindex?: number; attempt?: number; run?: string; id?: string; onRun?: boolean } = {},
): ToolstreamEvent {
  const { toolindex, attempt, run = RUN, id = 'e', onRun = toolindex === undefined } = more;
  return {
    specversion: '1.0',
    id,
    source: 'toolstream/test',
    type,
    time: '2026-01-01T00:00:00.000Z',
    subject: onRun ? `runs/${run}` : `runs/${run}/tools/${toolindex}`,
    datacontenttype: 'application/json',
    runid: run,
    ...(toolindex === undefined ? {} : { toolindex }),
    ...(attempt === undefined ? {} : { attempt }),
    tenant: 'dev',
    app: 'app-1',
    data,
  } as ToolstreamEvent;
}

export function accepted(tools: number, run = RUN): ToolstreamEvent {
  return anEvent(
    'run.accepted.v1',
    {
      ordering: 'parallel',
      priority: 'normal',
      timeout_ms: 60_000,
      max_age_ms: 1e9,
      request_hash: 'h',
      tools: Array.from({ length: tools }, (_, index) => ({
        index,
        call_id: `call-${index}`,
        name: 'os-write',
        description: 'Writes a file.',
        pool: 'default',
        arguments: { file_path: `file-${index}.ts` },
        depends_on: [],
        timeout_ms: 60_000,
        retries: { max_attempts: 3, initial_ms: 100, factor: 2, max_ms: 1000 },
        idempotent: true,
        isolation: 'inline',
        approval_policy: 'never',
        destructive: false,
        estimated_duration_ms: 100,
      })),
    },
    { run },
  );
}

const summary = (total: number) => ({
  total,
  successful: total,
  failed: 0,
  cancelled: 0,
  skipped: 0,
  duration_ms: 10,
  files_created: total,
  lines_written: 0,
});

/** What one tool call does, `steps` progress reports long. */
function toolLife(toolindex: number, steps: number): ToolstreamEvent[] {
  const on = { toolindex, attempt: 1 };
  return [
    anEvent('tool.queued.v1', { dispatch: 1, tool_seq: 0, cause: 'first' }, { toolindex, onRun: true }),
    anEvent('tool.started.v1', { dispatch: 1, executor: 'x-1', queue_ms: 1 }, on),
    ...Array.from({ length: steps }, (_, i) =>
      i % 4 === 3
        ? anEvent('tool.output.v1', { channel: 'stdout', text: `line ${i}\n` }, on)
        : anEvent('tool.progressed.v1', { stage: 'writing', progress: (100 * i) / steps }, on),
    ),
    anEvent('tool.succeeded.v1', { result: { path: `file-${toolindex}.ts` }, metrics: { duration_ms: 5 } }, on),
  ];
}

/**
 * A whole run: each tool's events in order, the tools interleaved as `order` says, sequences with holes as in a stream
 * that other runs share.
 */
export function history(tools: readonly number[], order: readonly number[], run = RUN, firstSeq = 3): Recorded[] {
  const lives = tools.map((steps, index) => toolLife(index, steps));
  const events = [accepted(tools.length, run), anEvent('run.started.v1', {}, { run })];
  for (let turn = 0; lives.some((life) => life.length > 0); turn++) {
    const wanted = (order[turn % Math.max(1, order.length)] ?? 0) % lives.length;
    const life = lives.slice(wanted).find((l) => l.length > 0) ?? lives.find((l) => l.length > 0)!;
    const event = life.shift()!;
    events.push({ ...event, runid: run });
  }
  events.push(anEvent('run.succeeded.v1', { summary: summary(tools.length) }, { run }));
  return events.map((event, i) => ({ event, seq: firstSeq + i * 3 + (i % 3) }));
}

export const eventFrame = (recorded: Recorded, prev: string, more: { folded?: number } = {}): ServerFrame =>
  ({
    type: 'event',
    run: recorded.event.runid,
    cursor: cursorAt(recorded.seq),
    prev,
    ...more,
    event: recorded.event,
  }) as unknown as ServerFrame;

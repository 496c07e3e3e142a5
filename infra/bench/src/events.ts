import { eventSubjectAttribute, type RunAddress, type ToolstreamEvent } from '@toolstream/proto-events';

/** Crockford's base 32, as run ids are written. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Runs of the benchmark's own, addressed as accepted ones are. */
export function benchRun(number: number): RunAddress {
  let digits = '';
  for (let rest = Date.now() * 1_000 + number, place = 0; place < 26; place++, rest = Math.floor(rest / 32)) {
    digits = DIGITS[rest % 32] + digits;
  }
  return { tenant: 'bench', app: 'bench', run: `0-${digits}` };
}

const envelope = (run: RunAddress, writer: 'run' | number, id: string) => ({
  specversion: '1.0' as const,
  id,
  source: 'toolstream/bench',
  time: new Date().toISOString(),
  subject: eventSubjectAttribute(run.run, writer),
  datacontenttype: 'application/json' as const,
  runid: run.run,
  tenant: run.tenant,
  app: run.app,
});

/** The event that makes a run exist, with as many tool calls as wanted. */
export function accepted(run: RunAddress, tools: number): ToolstreamEvent {
  return {
    ...envelope(run, 'run', `${run.run}-accepted`),
    type: 'run.accepted.v1',
    data: {
      ordering: 'parallel',
      priority: 'normal',
      timeout_ms: 3_600_000,
      max_age_ms: 86_400_000,
      request_hash: 'bench',
      tools: Array.from({ length: tools }, (_, index) => ({
        index,
        call_id: `call_${index}`,
        name: 'bench-noop',
        description: 'Does nothing.',
        pool: 'default',
        arguments: {},
        depends_on: [],
        timeout_ms: 60_000,
        retries: { max_attempts: 1, initial_ms: 500, factor: 2, max_ms: 30_000 },
        idempotent: true,
        isolation: 'inline',
        approval_policy: 'never',
        destructive: false,
        estimated_duration_ms: 1,
      })),
    },
  };
}

/**
 * A tool call that is taken up and handed back again and again: lifecycle events, which are never folded, as many as
 * wanted on one subject. `step` counts from 0.
 */
export function lifecycle(run: RunAddress, index: number, step: number, id: string): ToolstreamEvent {
  const attempt = Math.floor(step / 2) + 1;
  const base = { ...envelope(run, index, id), toolindex: index, attempt };
  return step % 2 === 0
    ? { ...base, type: 'tool.started.v1', data: { dispatch: attempt, executor: 'bench-1', queue_ms: 3 } }
    : { ...base, type: 'tool.released.v1', data: { reason: 'drain' } };
}

export function progressed(run: RunAddress, index: number, step: number, id: string): ToolstreamEvent {
  return {
    ...envelope(run, index, id),
    toolindex: index,
    attempt: 1,
    type: 'tool.progressed.v1',
    data: {
      stage: 'writing',
      message: `Writing file ${step} of 10000`,
      progress: Math.min(100, step / 100),
      details: { path: 'src/components/Header.tsx', bytes: step * 37 },
    },
  };
}

/** A tool call that was taken up and reports its progress from then on, with details of about so many bytes. */
export function working(
  run: RunAddress,
  index: number,
  step: number,
  id: string,
  detailBytes: number,
): ToolstreamEvent {
  if (step === 0) return lifecycle(run, index, 0, id);
  const event = progressed(run, index, step, id);
  const text = `${step} `.repeat(Math.ceil(detailBytes / `${step} `.length)).slice(0, detailBytes);
  return event.type === 'tool.progressed.v1' ? { ...event, data: { ...event.data, details: { text } } } : event;
}

/** What a tool prints: a line of so many characters, which says its number. */
export function printed(run: RunAddress, index: number, step: number, id: string, chars: number): ToolstreamEvent {
  const text = `${`line ${step} of the log `.repeat(Math.ceil(chars / 18)).slice(0, chars - 1)}\n`;
  const data = { channel: 'stdout', text };
  return { ...envelope(run, index, id), toolindex: index, attempt: 1, type: 'tool.output.v1', data };
}

const STAMP = '"id":"t';

/** An event id that says when its event was sent. */
export const stampedId = (sentAt: number, number: number): string => `t${sentAt}_${number}`;

/** The time in the stamped id of the first event within these bytes. */
export function stampIn(bytes: Buffer): number | undefined {
  const at = bytes.indexOf(STAMP);
  if (at < 0) return undefined;
  let value = 0;
  for (let i = at + STAMP.length; i < bytes.length; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}

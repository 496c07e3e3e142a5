import type { EventData, Job, ToolstreamEvent } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from './harness.ts';
import { WebServer } from './web-server.ts';

let bench: Bench;
let server: WebServer;
beforeAll(async () => {
  server = await WebServer.start();
  Object.assign(process.env, {
    TOOLSTREAM_FETCH_ALLOW: '127.0.0.1',
    TOOLSTREAM_SEARCH_PROVIDER: 'searxng',
    TOOLSTREAM_SEARCH_URL: server.base,
  });
  server.answer = server.json(200, {
    results: [{ url: 'https://nats.io/', title: 'NATS', content: 'Messaging', publishedDate: null }],
  });
  bench = await Bench.start();
  await bench.executor({ TOOLSTREAM_PROGRESS_HZ: '1000' });
});
afterAll(async () => {
  await bench.stop();
  await server.stop();
  for (const name of ['TOOLSTREAM_FETCH_ALLOW', 'TOOLSTREAM_SEARCH_PROVIDER', 'TOOLSTREAM_SEARCH_URL']) {
    delete process.env[name];
  }
});

interface Step {
  readonly stage: string;
  /** The details of this stage's reports, exactly. */
  readonly details: readonly string[];
  /** How its percentage is measured; absent: there is none to measure, and none is claimed. */
  readonly measuredBy?: readonly [done: string, total: string];
}

/**
 * The strategy document's flows, step by step. Two differences, both on purpose: where the document writes fixed percentages
 * (10, 30, 60 …) nothing was measured, so none is sent; and what it simulates (the progress of a model) is not sent at all.
 * For `os-line-replace`, `web_search` and other tools it names no steps of their own: theirs are ours, of the same kind.
 */
const FLOWS: readonly {
  readonly tool: string;
  readonly args: Job['arguments'];
  readonly steps: readonly Step[];
  readonly metrics: readonly (keyof EventData<'tool.succeeded.v1'>['metrics'])[];
}[] = [
  {
    tool: 'os-write',
    args: { file_path: 'src/App.tsx', content: `import React from 'react';\nexport const App = () => <p />;\n` },
    steps: [
      { stage: 'analyzing', details: [] },
      { stage: 'validating', details: ['file_size', 'line_count', 'imports_detected'] },
      {
        stage: 'writing',
        details: ['bytes_written', 'total_bytes'],
        measuredBy: ['bytes_written', 'total_bytes'],
      },
      { stage: 'complete', details: ['file_size', 'lines_written', 'components_detected'] },
    ],
    metrics: ['bytes_written', 'files_created', 'lines_written', 'memory_peak_bytes'],
  },
  {
    tool: 'os-line-replace',
    args: {
      file_path: 'src/App.tsx',
      search: '...',
      first_replaced_line: 2,
      last_replaced_line: 2,
      replace: 'export const App = () => <main />;\n',
    },
    steps: [
      { stage: 'reading', details: [] },
      { stage: 'matching', details: [] },
      {
        stage: 'writing',
        details: ['lines_removed', 'lines_written', 'bytes_written', 'total_bytes'],
        measuredBy: ['bytes_written', 'total_bytes'],
      },
      { stage: 'complete', details: ['file_size', 'lines_written'] },
    ],
    metrics: ['bytes_written', 'lines_written', 'memory_peak_bytes'],
  },
  {
    tool: 'generate_image',
    args: { prompt: 'A blue whale in the ocean', size: '512x512' },
    steps: [
      { stage: 'preparing', details: [] },
      {
        stage: 'generating',
        details: ['prompt', 'renderer', 'rows_drawn', 'total_rows'],
        measuredBy: ['rows_drawn', 'total_rows'],
      },
      {
        stage: 'uploading',
        details: ['uploaded_bytes', 'total_bytes'],
        measuredBy: ['uploaded_bytes', 'total_bytes'],
      },
      { stage: 'complete', details: ['image_url', 'image_size', 'dimensions', 'renderer'] },
    ],
    metrics: ['bytes_written', 'files_created', 'memory_peak_bytes'],
  },
  {
    tool: 'web_search',
    args: { query: 'nats jetstream' },
    steps: [
      { stage: 'preparing', details: ['query'] },
      { stage: 'searching', details: ['query', 'provider', 'api_calls_made'] },
      { stage: 'processing', details: ['query', 'provider', 'api_calls_made', 'results_found'] },
      { stage: 'complete', details: ['query', 'provider', 'api_calls_made', 'results_found'] },
    ],
    metrics: ['api_calls'],
  },
  {
    tool: 'stepper',
    args: { steps: 4, ms: 5 },
    steps: [{ stage: 'stepping', details: ['step'] }],
    metrics: ['memory_peak_bytes'],
  },
];

const isReport = (event: ToolstreamEvent) => event.type === 'tool.progressed.v1';

describe.each(FLOWS)('$tool', ({ tool, args, steps, metrics }) => {
  let events: ToolstreamEvent[];
  let reports: EventData<'tool.progressed.v1'>[];
  beforeAll(async () => {
    const job = await bench.dispatch(tool, args, { isolation: tool === 'web_search' ? 'inline' : 'thread' });
    await bench.until(job, 'tool.succeeded.v1', 0, 20_000);
    events = await bench.events(job);
    reports = events.flatMap((event) => (event.type === 'tool.progressed.v1' ? [event.data] : []));
  });

  it('starts, reports its stages in this order, and succeeds', () => {
    const others = events.filter((event) => !isReport(event)).map(({ type }) => type);
    expect(others.filter((type) => type !== 'tool.checkpointed.v1')).toEqual(['tool.started.v1', 'tool.succeeded.v1']);
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(['tool.started.v1', 'tool.succeeded.v1']);
    const stages = reports.map(({ stage }) => stage);
    expect(stages.filter((stage, i) => stage !== stages[i - 1])).toEqual(steps.map(({ stage }) => stage));
  });

  it('gives the details of each stage, and a percentage only where it is measured', () => {
    for (const { stage, details, measuredBy } of steps) {
      for (const report of reports.filter((each) => each.stage === stage)) {
        expect(Object.keys(report.details ?? {})).toEqual(details);
        if (stage === 'complete') expect(report.progress).toBe(100);
        else if (measuredBy) {
          const [done, total] = measuredBy.map(
            (name) => (report.details as Record<string, number>)[name] ?? Number.NaN,
          );
          expect(report.progress).toBe(Math.floor(((done as number) / (total as number)) * 100));
        } else if (tool !== 'stepper') expect(report.progress).toBeUndefined();
      }
    }
  });

  it('says what it took', () => {
    const end = events.at(-1);
    const measured = end?.type === 'tool.succeeded.v1' ? end.data.metrics : undefined;
    expect(measured?.duration_ms).toBeGreaterThan(0);
    expect(measured?.queue_ms).toBeGreaterThanOrEqual(0);
    for (const name of metrics) expect.soft(measured?.[name], name).toBeGreaterThan(0);
  });
});

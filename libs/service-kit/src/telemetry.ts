import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Meter, type Tracer, trace } from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { Logger } from './logger.ts';
import { within } from './within.ts';

export type { Attributes, Counter, Histogram, Meter, ObservableGauge, Tracer, UpDownCounter } from '@opentelemetry/api';

export interface Telemetry {
  readonly meter: Meter;
  readonly tracer: Tracer;
  /** The present values in Prometheus' text format. Measured when asked: nothing is exported in the background. */
  metricsText(): Promise<string>;
  /** Sends the spans that still wait, within 3 s. */
  shutdown(): Promise<void>;
}

export interface TelemetryOptions {
  readonly name: string;
  readonly instance: string;
  readonly version?: string | undefined;
  /** Absent: traces are neither recorded nor sent. */
  readonly otlpEndpoint?: string | undefined;
  readonly log: Logger;
}

class ScrapeReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** Content type of `metricsText()`. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { name, instance, version = '0.0.0', log } = options;
  const resource = resourceFromAttributes({
    [ATTR_SERVICE_NAME]: `toolstream-${name}`,
    [ATTR_SERVICE_VERSION]: version,
    'service.instance.id': instance,
  });
  const reader = new ScrapeReader();
  const meters = new MeterProvider({ resource, readers: [reader] });
  const meter = meters.getMeter('toolstream');
  const loopDelay = observeProcess(meter);
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  const traces = await startTraces(options, resource);

  return {
    meter,
    tracer: traces?.tracer ?? trace.getTracer('toolstream'),
    metricsText: async () => {
      const { resourceMetrics, errors } = await reader.collect();
      for (const error of errors) log.warn({ error }, 'a metric could not be collected');
      return serializer.serialize(resourceMetrics);
    },
    shutdown: async () => {
      loopDelay.disable();
      await Promise.allSettled([meters.shutdown(), traces?.shutdown()]);
    },
  };
}

async function startTraces(
  { otlpEndpoint }: TelemetryOptions,
  resource: ReturnType<typeof resourceFromAttributes>,
): Promise<{ tracer: Tracer; shutdown(): Promise<void> } | undefined> {
  if (otlpEndpoint === undefined) return undefined;
  // Loaded only where it is used: the exporter would cost every other service part of its start.
  const [{ BasicTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const exporter = new OTLPTraceExporter({
    url: `${otlpEndpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: 3_000,
  });
  // Nothing is registered globally: contexts are handed on explicitly, so no asynchronous context needs tracking.
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
  return {
    tracer: provider.getTracer('toolstream'),
    shutdown: async () => {
      await within(3_000, provider.shutdown());
    },
  };
}

function observeProcess(meter: Meter): ReturnType<typeof monitorEventLoopDelay> {
  const memory = meter.createObservableGauge('process_resident_memory_bytes', { description: 'Resident memory' });
  const heap = meter.createObservableGauge('nodejs_heap_used_bytes', { description: 'Used heap of the main thread' });
  const cpu = meter.createObservableCounter('process_cpu_seconds', { description: 'CPU time of the process' });
  const p99 = meter.createObservableGauge('nodejs_eventloop_delay_p99_seconds', {
    description: '99th percentile of the event loop delay since the scrape before',
  });
  const loopDelay = monitorEventLoopDelay({ resolution: 20 });
  loopDelay.enable();
  meter.addBatchObservableCallback(
    (observed) => {
      const { rss, heapUsed } = process.memoryUsage();
      const { user, system } = process.cpuUsage();
      observed.observe(memory, rss);
      observed.observe(heap, heapUsed);
      observed.observe(cpu, (user + system) / 1e6);
      observed.observe(p99, loopDelay.percentile(99) / 1e9);
      loopDelay.reset();
    },
    [memory, heap, cpu, p99],
  );
  return loopDelay;
}

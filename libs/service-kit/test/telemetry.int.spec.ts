import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createLogger, ensureTraceparent, inSpan, startTelemetry } from '../src/index.ts';

const log = createLogger({ name: 'test', level: 'silent' });

it('spans below a traceparent reach the collector, at the latest when the service stops', async () => {
  const received: string[] = [];
  const collector = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push(`${request.method} ${request.url} ${body}`);
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const otlpEndpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const telemetry = await startTelemetry({ name: 'test', instance: 't1', otlpEndpoint, log });
  const parent = ensureTraceparent();

  const failing = inSpan(telemetry.tracer, 'outer', { traceparent: parent }, (_span, traceparent) => {
    expect(traceparent?.slice(0, 35)).toBe(parent.slice(0, 35));
    expect(traceparent).not.toBe(parent);
    throw new Error('broken');
  });
  await expect(failing).rejects.toThrow('broken');
  await telemetry.shutdown();

  expect(received).toHaveLength(1);
  expect(received[0]).toContain('POST /v1/traces');
  expect(received[0]).toContain(parent.slice(3, 35));
  expect(received[0]).toContain('outer');
  expect(received[0]).toContain('broken');
  collector.close();
});

it('without a collector a traceparent is handed on unchanged, and metrics are still served', async () => {
  const telemetry = await startTelemetry({ name: 'test', instance: 't1', log });
  const parent = ensureTraceparent();
  const handedOn = await inSpan(telemetry.tracer, 'x', { traceparent: parent }, (_span, traceparent) => traceparent);
  expect(handedOn).toBe(parent);
  telemetry.meter.createCounter('toolstream_things', { description: 'Things' }).add(2, { kind: 'a' });
  expect(await telemetry.metricsText()).toContain('toolstream_things_total{kind="a"} 2');
  await telemetry.shutdown();
});

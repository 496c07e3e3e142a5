import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { declareStreams, type EventLog, openEventLog } from '@toolstream/event-log';
import { type EventType, eventSubjectAttribute, type RunAddress, type ToolstreamEvent } from '@toolstream/proto-events';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';

const ULID = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
let made = 0;

/** A run of its own per call; ids count up, so that a failure can be reproduced. */
export function newRun(partition = 0, tenant = 'acme', app = 'shop'): RunAddress {
  let rest = ++made;
  let id = '';
  for (let i = 0; i < 26; i++) {
    id = ULID[rest % 32] + id;
    rest = Math.floor(rest / 32);
  }
  return { tenant, app, run: `${partition}-${id}` };
}

export function newEvent(
  run: RunAddress,
  writer: 'run' | number = 0,
  data: unknown = { stage: 'working' },
  type: EventType = 'tool.progressed.v1',
): ToolstreamEvent {
  return {
    specversion: '1.0',
    id: `e${++made}`,
    source: 'toolstream/test',
    type,
    time: '2026-01-01T00:00:00.000Z',
    subject: eventSubjectAttribute(run.run, writer),
    datacontenttype: 'application/json',
    runid: run.run,
    tenant: run.tenant,
    app: run.app,
    ...(writer === 'run' ? {} : { toolindex: writer, attempt: 1 }),
    data,
  } as ToolstreamEvent;
}

export interface OpenLog {
  nc: NatsConnection;
  log: EventLog;
}

export async function openLog(url: string, partitions = 1): Promise<OpenLog> {
  const nc = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50, reconnectJitter: 10 });
  await declareStreams(nc, { mode: 'create', partitions });
  return { nc, log: await openEventLog(nc, { partitions }) };
}

export type RunningLog = OpenLog & { server: NatsServer; stop(): Promise<void> };

export async function startLog(partitions = 1, options: { monitorPort?: number } = {}): Promise<RunningLog> {
  const server = await startEphemeralNats(options);
  const opened = await openLog(server.url, partitions);
  return {
    ...opened,
    server,
    stop: async () => {
      await opened.nc.close();
      await server.stop();
    },
  };
}

/** Appends `count` events on one subject, chained; answers their sequences. */
export async function appendChain(
  log: EventLog,
  run: RunAddress,
  writer: 'run' | number,
  count: number,
  expected = 0,
): Promise<number[]> {
  const seqs: number[] = [];
  for (let i = 0; i < count; i++) {
    const last = seqs.at(-1) ?? expected;
    seqs.push(await log.append({ run, event: newEvent(run, writer), expected: last }));
  }
  return seqs;
}

import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { type EventLog, encodeEvent, openEventLog } from '@toolstream/event-log';
import type { RunAddress } from '@toolstream/proto-events';
import { now, paced } from '../clock.ts';
import { accepted, lifecycle, printed, stampedId, working } from '../events.ts';
import { serve } from './serve.ts';

/** How an event leaves: through the event log, as a plain JetStream publish, or as a plain message. */
export type Route = 'log' | 'jetstream' | 'core';

export interface PublisherSetup {
  readonly natsUrl: string;
  readonly route: Route;
  readonly runs: readonly RunAddress[];
  readonly toolsPerRun: number;
  /** Progress of calls that go on, with details of so many bytes, instead of calls that are taken up and handed back. */
  readonly detailBytes?: number;
  /** Of such calls, every second event is a line of so many characters that the tool printed. */
  readonly lineChars?: number | undefined;
}

export interface Emission {
  readonly rate: number;
  readonly seconds: number;
}

/** One tool call's subject, with what the next event on it needs. */
interface Lane {
  readonly run: RunAddress;
  readonly index: number;
  readonly detailBytes: number | undefined;
  readonly lineChars: number | undefined;
  step: number;
  expected: number;
  busy: boolean;
}

type Send = (lane: Lane, number: number) => Promise<void>;

/** Outside of the event log: `bench.<run>.<index>`, which the floor's stream republishes below `live.`. */
const plainSubject = ({ run, index }: Lane): string => `bench.${run.run}.${index}`;

let publish: ((emission: Emission) => Promise<{ sent: number }>) | undefined;

serve({
  async setUp({ natsUrl, route, runs, toolsPerRun, detailBytes, lineChars }: PublisherSetup) {
    const nc = await connect({ servers: natsUrl, name: `bench-publisher-${route}` });
    const lanes = Array.from({ length: toolsPerRun }, (_, index) =>
      runs.map((run): Lane => ({ run, index, detailBytes, lineChars, step: 0, expected: 0, busy: false })),
    ).flat();
    const send = await SENDS[route](nc, runs, toolsPerRun);
    publish = (emission) => emit(lanes, send, emission);
  },
  emit(emission: Emission) {
    if (!publish) throw new Error('set up first');
    return publish(emission);
  },
});

const SENDS: Record<Route, (nc: NatsConnection, runs: readonly RunAddress[], tools: number) => Promise<Send>> = {
  async log(nc, runs, toolsPerRun) {
    const log = await openEventLog(nc, { partitions: 1 });
    await Promise.all(runs.map((run) => log.append({ run, event: accepted(run, toolsPerRun), expected: 0 })));
    return appendTo(log);
  },
  async jetstream(nc) {
    const js = jetstream(nc);
    return async (lane, number) => {
      await js.publish(plainSubject(lane), encodeEvent(eventOf(lane, number)));
    };
  },
  async core(nc) {
    return async (lane, number) => {
      nc.publish(`core.${plainSubject(lane)}`, encodeEvent(eventOf(lane, number)));
    };
  },
};

const appendTo =
  (log: EventLog): Send =>
  async (lane, number) => {
    const { run, expected } = lane;
    lane.expected = await log.append({ run, event: eventOf(lane, number), expected });
  };

/** Made, and stamped, right before it is sent. */
const eventOf = ({ run, index, step, detailBytes, lineChars }: Lane, number: number) => {
  const id = stampedId(now(), number);
  if (detailBytes === undefined) return lifecycle(run, index, step, id);
  if (lineChars !== undefined && step > 0 && step % 2 === 0) return printed(run, index, step, id, lineChars);
  return working(run, index, step, id, detailBytes);
};

/**
 * Events in turn on all subjects, one in flight on each; resolves when the last is acknowledged. An event that finds no
 * free subject (the server stalls) is made and sent as soon as one is: its delay counts from then, as it does for all.
 */
async function emit(lanes: readonly Lane[], send: Send, { rate, seconds }: Emission): Promise<{ sent: number }> {
  const total = Math.round(rate * seconds);
  let acknowledged = 0;
  let waiting = 0;
  let number = 0;
  let next = 0;
  const allAcknowledged = Promise.withResolvers<void>();
  const free = (): Lane | undefined => {
    for (let tries = 0; tries < lanes.length; tries++) {
      const lane = lanes[next++ % lanes.length]!;
      if (!lane.busy) return lane;
    }
    return undefined;
  };
  const sendOn = (lane: Lane): void => {
    lane.busy = true;
    send(lane, number++).then(() => {
      lane.busy = false;
      lane.step++;
      if (waiting > 0) {
        waiting--;
        sendOn(lane);
      }
      if (++acknowledged === total) allAcknowledged.resolve();
    }, allAcknowledged.reject);
  };
  const pacing = paced(rate, seconds, () => {
    const lane = free();
    if (lane) sendOn(lane);
    else waiting++;
  });
  await Promise.all([pacing, allAcknowledged.promise]);
  return { sent: total };
}

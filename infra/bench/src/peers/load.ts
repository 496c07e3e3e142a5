import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { encodeEvent, openEventLog } from '@toolstream/event-log';
import { benchRun, progressed } from '../events.ts';
import { serve } from './serve.ts';

export interface LoadSetup {
  readonly natsUrl: string;
  /** `log`: fenced appends. Else the first tokens of the plain subject that is published to. */
  readonly to: 'log' | { readonly prefix: string };
}

export interface Load {
  readonly subjects: number;
  /** In all; on the log one per subject. */
  readonly inFlight: number;
  readonly seconds: number;
}

let run: ((load: Load) => Promise<{ perSecond: number }>) | undefined;

/** As many publishes in a time as the server acknowledges, with a fixed number in flight. */
serve({
  async setUp({ natsUrl, to }: LoadSetup) {
    const nc = await connect({ servers: natsUrl, name: 'bench-load' });
    const publish = to === 'log' ? await appends(nc) : await publishes(nc, to.prefix);
    run = (load) => measure(load, publish);
  },
  run(load: Load) {
    if (!run) throw new Error('set up first');
    return run(load);
  },
});

/** Publishes the next message on a subject, known by its number. */
type Publish = (subject: number) => Promise<void>;
type Connection = Awaited<ReturnType<typeof connect>>;

async function appends(nc: Connection): Promise<Publish> {
  const log = await openEventLog(nc, { partitions: 1 });
  const address = benchRun(process.pid);
  const lanes: { expected: number; step: number }[] = [];
  let number = 0;
  return async (subject) => {
    lanes[subject] ??= { expected: 0, step: 0 };
    const lane = lanes[subject];
    const event = progressed(address, subject, lane.step++, `e${process.pid}_${number++}`);
    lane.expected = await log.append({ run: address, event, expected: lane.expected });
  };
}

/** One payload, encoded once: the floor pays for nothing but publishing. */
async function publishes(nc: Connection, prefix: string): Promise<Publish> {
  const js = jetstream(nc);
  const payload = encodeEvent(progressed(benchRun(process.pid), 7, 1234, `e${process.pid}_123456`));
  return async (subject) => {
    await js.publish(`${prefix}.${subject}`, payload);
  };
}

async function measure({ subjects, inFlight, seconds }: Load, publish: Publish): Promise<{ perSecond: number }> {
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  let done = 0;
  const worker = async (number: number) => {
    while (performance.now() < until) {
      await publish(number % subjects);
      done++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, number) => worker(number)));
  return { perSecond: done / ((performance.now() - startedAt) / 1_000) };
}

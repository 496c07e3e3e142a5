import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type {
  ConsumeOptions,
  Delivered,
  DurableConsumer,
  ProjectionOptions,
  ReactorOptions,
} from '@toolstream/event-log';
import { eventStream } from '@toolstream/proto-events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { appendChain, newRun, openLog, type RunningLog, startLog } from './helpers.ts';
import { startProxy } from './proxy.ts';

const STREAM = eventStream(0);
const seqsOf = (messages: readonly Delivered[]) => messages.map(({ seq }) => seq);

describe('a durable consumer', () => {
  let main: RunningLog;
  let jsm: JetStreamManager;
  let errors: unknown[] = [];
  const consumers: DurableConsumer[] = [];

  beforeAll(async () => {
    main = await startLog();
    jsm = await jetstreamManager(main.nc);
  });

  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.drain()));
    for await (const { name } of jsm.consumers.list(STREAM)) await jsm.consumers.delete(STREAM, name);
    await jsm.streams.purge(STREAM);
    errors = [];
  });

  afterAll(() => main.stop());

  async function consume(options: ConsumeOptions, log = main.log): Promise<DurableConsumer> {
    const consumer = await log.consumeDurable(options);
    consumers.push(consumer);
    return consumer;
  }

  const onError = (error: unknown) => errors.push(error);
  const projection = (options: Partial<ProjectionOptions> & Pick<ProjectionOptions, 'startSequence' | 'handler'>) =>
    ({ style: 'projection', stream: STREAM, durable: 'projection', onError, ...options }) as const;
  const reactor = (options: Partial<ReactorOptions> & Pick<ReactorOptions, 'handler'>) =>
    ({ style: 'reactor', stream: STREAM, durable: 'orchestrator', onError, ...options }) as const;

  test('brings events with what routing needs, undecoded', async () => {
    const run = newRun();
    const seen: Delivered[] = [];
    await consume(reactor({ handler: async (batch) => void seen.push(...batch) }));
    const [seq] = await appendChain(main.log, run, 3, 1);
    await expect.poll(() => seen.length).toBe(1);
    expect(seen[0]).toMatchObject({ seq, type: 'tool.progressed.v1', deliveries: 1, pending: 0 });
    expect(seen[0]?.address()).toMatchObject({ ...run, writer: 3 });
    expect(seen[0]?.event().runid).toBe(run.run);
    expect(Math.abs((seen[0]?.time ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  describe('of the projection style', () => {
    test('begins at the sequence given, whatever an earlier one acknowledged', async () => {
      const seqs = await appendChain(main.log, newRun(), 0, 20);
      const first: number[] = [];
      const one = await consume(
        projection({ startSequence: seqs[0]!, handler: async (batch) => void first.push(...seqsOf(batch)) }),
      );
      await expect.poll(() => first).toEqual(seqs);
      await one.drain();
      expect(await one.ended).toBe('drained');
      const second: number[] = [];
      await consume(
        projection({ startSequence: seqs[7]!, handler: async (batch) => void second.push(...seqsOf(batch)) }),
      );
      await expect.poll(() => second).toEqual(seqs.slice(7));
      await expect.poll(async () => (await jsm.consumers.info(STREAM, 'projection')).num_ack_pending).toBe(0);
    });

    test('keeps batches within their bound and lets them grow under load', async () => {
      const sizes: number[] = [];
      const seqs = await appendChain(main.log, newRun(), 0, 120);
      const handler = async (batch: readonly Delivered[]) => {
        sizes.push(batch.length);
        await sleep(5);
      };
      const consumer = await consume(
        projection({ startSequence: 1, batch: { maxMessages: 25, lingerMs: 5 }, handler }),
      );
      await expect.poll(() => sizes.reduce((sum, size) => sum + size, 0)).toBe(seqs.length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(25);
      expect(sizes.length).toBeLessThan(20);
      expect(consumer.pending).toBe(0);
    });

    test('tries a failed batch again, before anything else', async () => {
      const seqs = await appendChain(main.log, newRun(), 0, 10);
      const tries: number[][] = [];
      const handled: number[] = [];
      const handler = async (batch: readonly Delivered[]) => {
        tries.push(seqsOf(batch));
        if (tries.length < 3) throw new Error('no database');
        handled.push(...seqsOf(batch));
      };
      await consume(projection({ startSequence: seqs[0]!, batch: { maxMessages: 4 }, handler }));
      await expect.poll(() => handled, { timeout: 3_000 }).toEqual(seqs);
      expect(tries[1]).toEqual(tries[0]);
      expect(tries[2]).toEqual(tries[0]);
      expect(errors).toHaveLength(2);
    });

    test('misses nothing and takes nothing twice over cut connections', async () => {
      const proxy = await startProxy(main.server.port);
      const behind = await openLog(proxy.url);
      const handled: number[] = [];
      const handler = async (batch: readonly Delivered[]) => {
        await sleep(2);
        handled.push(...seqsOf(batch));
      };
      const consumer = await consume(projection({ startSequence: 1, batch: { maxMessages: 20 }, handler }), behind.log);
      const writing = Promise.all([0, 1, 2, 3].map(() => appendChain(main.log, newRun(), 0, 400)));
      for (let cuts = 0; cuts < 4; cuts++) {
        await sleep(60);
        proxy.cut();
      }
      const expected = (await writing).flat().sort((a, b) => a - b);
      await expect.poll(() => handled.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(expected.length);
      expect(handled).toEqual(expected);
      await consumer.drain();
      await behind.nc.close();
      await proxy.stop();
    });

    test('gives way to another process that takes the consumer over', async () => {
      const seqs = await appendChain(main.log, newRun(), 0, 5);
      const old: number[] = [];
      const first = await consume(
        projection({ startSequence: 1, handler: async (batch) => void old.push(...seqsOf(batch)) }),
      );
      await expect.poll(() => old).toEqual(seqs);
      const taken: number[] = [];
      await consume(
        projection({ startSequence: seqs[2]!, handler: async (batch) => void taken.push(...seqsOf(batch)) }),
      );
      expect(await first.ended).toBe('displaced');
      const more = await appendChain(main.log, newRun(), 0, 3);
      await expect.poll(() => taken).toEqual([...seqs.slice(2), ...more]);
      expect(old).toEqual(seqs);
    });

    test('goes on after its consumer was deleted', async () => {
      const handled: number[] = [];
      await consume(projection({ startSequence: 1, handler: async (batch) => void handled.push(...seqsOf(batch)) }));
      const seqs = await appendChain(main.log, newRun(), 0, 3);
      await expect.poll(() => handled).toEqual(seqs);
      await jsm.consumers.delete(STREAM, 'projection');
      const more = await appendChain(main.log, newRun(), 0, 3);
      await expect.poll(() => handled, { timeout: 5_000 }).toEqual([...seqs, ...more]);
    });
  });

  describe('of the reactor style', () => {
    test('resumes where it was drained, and gives back at once what it had not handled', async () => {
      const seqs = await appendChain(main.log, newRun(), 0, 40);
      const handled: number[] = [];
      let consumer: DurableConsumer | undefined;
      const handler = async (batch: readonly Delivered[]) => {
        await sleep(20);
        handled.push(...seqsOf(batch));
        // How batches are cut is the server's and the moment's: only that a batch is whole counts.
        if (handled.length >= 10) void consumer?.drain();
      };
      consumer = await consume(reactor({ batch: { maxMessages: 5 }, handler }));
      await consumer.ended;
      expect(handled.length).toBeLessThan(seqs.length);
      expect(handled).toEqual(seqs.slice(0, handled.length));
      const rest: number[] = [];
      await consume(reactor({ handler: async (batch) => void rest.push(...seqsOf(batch)) }));
      await expect.poll(() => rest.length, { timeout: 3_000 }).toBe(seqs.length - handled.length);
      expect(rest.sort((a, b) => a - b)).toEqual(seqs.slice(handled.length));
    });

    test('pinned, lets one replica work and another take over when it dies', async () => {
      const pinned = { timeoutMs: 1_000 };
      const handled: [string, number][] = [];
      const replica = (name: string) =>
        reactor({
          pinned,
          ackWaitMs: 2_000,
          handler: async (batch) => {
            for (const { seq } of batch) handled.push([name, seq]);
          },
        });
      const dying = await openLog(main.server.url);
      await dying.log.consumeDurable(replica('first'));
      const before = await appendChain(main.log, newRun(), 0, 3);
      await expect.poll(() => handled).toEqual(before.map((seq) => ['first', seq]));
      await consume(replica('second'));
      // Idle for longer than the pin lasts without a pull: the first one keeps it.
      await sleep(1_800);
      const during = await appendChain(main.log, newRun(), 0, 10);
      await expect.poll(() => handled.length).toBe(13);
      expect(handled.slice(3)).toEqual(during.map((seq) => ['first', seq]));

      await dying.nc.close();
      const after = await appendChain(main.log, newRun(), 0, 5);
      await expect.poll(() => handled.length, { timeout: 8_000 }).toBe(18);
      // What the server had still handed to the dead one comes again when its ack wait is over, so not in order.
      const others = handled.slice(13).sort((a, b) => a[1] - b[1]);
      expect(others).toEqual(after.map((seq) => ['second', seq]));
    });

    test('pinned, hands over when it is drained', async () => {
      const handled: string[] = [];
      const replica = (name: string) =>
        reactor({
          pinned: { timeoutMs: 1_000 },
          handler: async (batch) => void handled.push(...batch.map(() => name)),
        });
      const first = await consume(replica('first'));
      await appendChain(main.log, newRun(), 0, 1);
      await expect.poll(() => handled).toEqual(['first']);
      await consume(replica('second'));
      await first.drain();
      await appendChain(main.log, newRun(), 0, 1);
      await expect.poll(() => handled, { timeout: 5_000 }).toEqual(['first', 'second']);
    });

    test('survives a server that is killed', async () => {
      const other = await startLog();
      const handled = new Set<number>();
      const consumer = await other.log.consumeDurable(
        reactor({
          ackWaitMs: 1_000,
          handler: async (batch) => {
            for (const { seq } of batch) handled.add(seq);
          },
        }),
      );
      const run = newRun();
      const before = await appendChain(other.log, run, 0, 50);
      await other.server.kill9();
      await other.server.restart();
      await appendChain(other.log, run, 0, 50, before.at(-1));
      await expect.poll(() => handled.size, { timeout: 8_000 }).toBe(100);
      await consumer.drain();
      await other.stop();
    });

    test('takes on a changed configuration and keeps its position', async () => {
      const seqs = await appendChain(main.log, newRun(), 0, 4);
      const first: number[] = [];
      const one = await consume(reactor({ handler: async (batch) => void first.push(...seqsOf(batch)) }));
      await expect.poll(() => first).toEqual(seqs);
      await one.drain();
      const second: number[] = [];
      await consume(
        reactor({ ackWaitMs: 5_000, maxAckPending: 77, handler: async (batch) => void second.push(...seqsOf(batch)) }),
      );
      const { config } = await jsm.consumers.info(STREAM, 'orchestrator');
      expect(config).toMatchObject({ ack_wait: 5e9, max_ack_pending: 77 });
      const more = await appendChain(main.log, newRun(), 0, 2);
      await expect.poll(() => second).toEqual(more);
    });
  });

  describe('of the plain style', () => {
    const plain = { style: 'plain', stream: STREAM, durable: 'plain', onError } as const;

    test('works on as many messages at once as it may, each on its own', async () => {
      const seqs = await appendChain(main.log, newRun(), 0, 12);
      let [inside, most] = [0, 0];
      const handled: number[] = [];
      const handler = async ({ seq }: Delivered) => {
        most = Math.max(most, ++inside);
        await sleep(10);
        inside--;
        handled.push(seq);
      };
      await consume({ ...plain, concurrency: 3, handler });
      await expect.poll(() => handled.length).toBe(12);
      expect(handled.sort((a, b) => a - b)).toEqual(seqs);
      expect(most).toBe(3);
    });

    test('gives a failed message back and gets it again after the delay', async () => {
      const [seq] = await appendChain(main.log, newRun(), 0, 1);
      const deliveries: number[] = [];
      const handler = async (message: Delivered) => {
        deliveries.push(message.deliveries);
        if (message.deliveries === 1) throw new Error('not yet');
      };
      await consume({ ...plain, retryDelayMs: 100, handler });
      await expect.poll(() => deliveries, { timeout: 3_000 }).toEqual([1, 2]);
      expect(errors).toEqual([new Error('not yet')]);
      expect(seq).toBeGreaterThan(0);
      await expect.poll(async () => (await jsm.consumers.info(STREAM, 'plain')).num_ack_pending).toBe(0);
    });

    test('keeps a message that takes long by signs of life', async () => {
      await appendChain(main.log, newRun(), 0, 1);
      const deliveries: number[] = [];
      const handler = async (message: Delivered) => {
        deliveries.push(message.deliveries);
        await sleep(1_500);
      };
      const consumer = await consume({ ...plain, ackWaitMs: 600, handler });
      await expect.poll(() => deliveries).toEqual([1]);
      await consumer.drain();
      expect(deliveries).toEqual([1]);
      expect((await jsm.consumers.info(STREAM, 'plain')).ack_floor.stream_seq).toBeGreaterThan(0);
    });
  });

  describe('of the pipelined style', () => {
    const pipelined = { style: 'pipelined', stream: STREAM, durable: 'pipelined', onError } as const;

    test('hands over what arrives without waiting for what is in hand, in order, up to its bound', async () => {
      const seen: number[] = [];
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const handler = (batch: readonly Delivered[]) => {
        seen.push(...seqsOf(batch));
        return released;
      };
      await consume({ ...pipelined, inHand: 8, handler });
      const seqs = await appendChain(main.log, newRun(), 0, 4);
      await expect.poll(() => seen).toEqual(seqs);
      const more = await appendChain(main.log, newRun(), 0, 12);
      await expect.poll(() => seen.length).toBe(8);
      await sleep(100);
      expect(seen).toEqual([...seqs, ...more].slice(0, 8));
      release();
      await expect.poll(() => seen).toEqual([...seqs, ...more]);
      await expect.poll(async () => (await jsm.consumers.info(STREAM, 'pipelined')).num_ack_pending).toBe(0);
    });

    test('gives a batch back that failed, and keeps one that takes long', async () => {
      const deliveries: number[] = [];
      const handler = async (batch: readonly Delivered[]) => {
        deliveries.push(...batch.map((message) => message.deliveries));
        if (deliveries.length === 1) throw new Error('not yet');
        await sleep(1_500);
      };
      const consumer = await consume({ ...pipelined, ackWaitMs: 600, retryDelayMs: 100, handler });
      await appendChain(main.log, newRun(), 0, 1);
      await expect.poll(() => deliveries, { timeout: 3_000 }).toEqual([1, 2]);
      await consumer.drain();
      expect(deliveries).toEqual([1, 2]);
      expect(errors).toEqual([new Error('not yet')]);
      await expect.poll(async () => (await jsm.consumers.info(STREAM, 'pipelined')).num_ack_pending).toBe(0);
    });
  });
});

import { type KV, Kvm } from '@nats-io/kv';
import {
  MESSAGES_BUCKET,
  type MessageLink,
  messageKey,
  messagesBucketOptions,
  type RunAddress,
} from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MessageLinkStore } from '../src/adapters/message-links.ts';
import { calls, TENANT } from './given.ts';
import { hooked, World } from './harness.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const bucket = (): Promise<KV> => new Kvm(world.nc).create(MESSAGES_BUCKET, { ...messagesBucketOptions });

async function linkOf(message: string): Promise<MessageLink | undefined> {
  const entry = await (await bucket()).get(messageKey(TENANT, message));
  return entry?.json<MessageLink>();
}

async function linked(message: string, wanted: (link: MessageLink) => boolean): Promise<MessageLink> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const link = await linkOf(message);
    if (link && wanted(link)) return link;
    if (performance.now() > deadline) throw new Error(`still not so: ${JSON.stringify(link)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const expected = async ({ run, app }: RunAddress): Promise<MessageLink> => {
  const state = await world.state({ tenant: TENANT, app, run });
  return { run, app, accepted_at: state!.accepted_at };
};

describe('A run with a message', () => {
  it('is known by it as soon as it is accepted; one without leaves nothing', async () => {
    const orchestrator = await world.orchestrator('links-1');
    const run = await world.accepted({ calls: calls(1), message_id: 'm1' });
    expect(await linked('m1', () => true)).toEqual(await expected(run));
    await world.work(await world.accepted({ calls: calls(1) }));
    expect(await (await bucket()).status()).toMatchObject({ values: 1, history: 1 });
    await orchestrator.stop();
  });

  it('is followed by a newer one, and never by an older one that is written later', async () => {
    const orchestrator = await world.orchestrator('links-2');
    const first = await world.accepted({ calls: calls(1), message_id: 'm2' });
    await linked('m2', ({ run }) => run === first.run);
    const second = await world.accepted({ calls: calls(1), message_id: 'm2', app: 'other' });
    expect(await linked('m2', ({ run }) => run === second.run)).toEqual(await expected(second));
    const store = new MessageLinkStore(bucket);
    await store.write(TENANT, 'm2', await expected(first));
    expect((await linkOf('m2'))?.run).toBe(second.run);
    await orchestrator.stop();
  });

  it('that its orchestrator accepted and died is linked by another, and once', async () => {
    const dying = await world.orchestrator('links-3', {
      around: (log) => ({
        ...hooked(() => {})(log),
        append: async (request) => {
          await log.append(request);
          return new Promise(() => {});
        },
      }),
    });
    const before = (await (await bucket()).status()).streamInfo.state.last_seq;
    // Its answer never comes.
    world.submit({ calls: calls(1), message_id: 'm3' }).catch(() => {});
    let run: RunAddress | undefined;
    for await (const stored of follow()) run = stored;
    expect(await linkOf('m3')).toBeUndefined();
    await dying.kill();
    const next = await world.orchestrator('links-4');
    expect((await linked('m3', () => true)).run).toBe(run?.run);
    await world.work(run!);
    expect((await (await bucket()).status()).streamInfo.state.last_seq).toBe(before + 1);
    await next.stop();

    async function* follow(): AsyncGenerator<RunAddress> {
      for (;;) {
        for await (const stored of world.log.read(`ts.evt.0.${TENANT}.>`, { partition: 0, from: 1 })) {
          const event = stored.event();
          if (event.type !== 'run.accepted.v1' || event.data.message_id !== 'm3') continue;
          return yield { tenant: event.tenant, app: event.app, run: event.runid };
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }, 40_000);

  it('is linked also where the bucket was lost', async () => {
    await world.orchestrator('links-5');
    await (await bucket()).destroy();
    const run = await world.accepted({ calls: calls(1), message_id: 'm4' });
    const deadline = performance.now() + 20_000;
    while (performance.now() < deadline) {
      const found = await new Kvm(world.nc).open(MESSAGES_BUCKET, { allow_direct: false });
      const entry = await found.get(messageKey(TENANT, 'm4')).catch(() => null);
      if (entry) return expect(entry.json<MessageLink>().run).toBe(run.run);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the link was not written');
  }, 30_000);
});

describe('Links of one message, written at once', () => {
  it('leave the newest, in whatever order they arrive and however often', async () => {
    const id = (i: number) => `0-0000000000000000000000000${'0123456789ABCDEFGHJKMNPQRSTVWXYZ'[i]}`;
    const links = Array.from({ length: 16 }, (_, i) => ({
      run: id(i),
      app: 'shop',
      // Two and two of the same moment: then the id decides.
      accepted_at: new Date(1_800_000_000_000 + Math.floor(i / 2)).toISOString(),
    }));
    const stores = [new MessageLinkStore(bucket), new MessageLinkStore(bucket)];
    for (let round = 0; round < 3; round++) {
      const twice = [...links, ...links];
      const shuffled = twice.map((_, i) => twice[(i * 7 + round * 11) % twice.length]!);
      await Promise.all(shuffled.map((link, i) => retried(() => stores[i % 2]!.write(TENANT, `race-${round}`, link))));
      expect((await linkOf(`race-${round}`))?.run).toBe(id(15));
    }
  });
});

/** As the reactor does: what others kept winning is tried again. */
async function retried(write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('by others'))) throw error;
    }
  }
}

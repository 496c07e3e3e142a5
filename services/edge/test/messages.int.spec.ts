import { Kvm } from '@nats-io/kv';
import { MESSAGES_BUCKET, type MessageLink, messageKey, querySubject } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, uniqueName, until } from './harness.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
let edge: TestEdge;
const env = { TOOLSTREAM_MAX_SUBSCRIPTIONS: '3', TOOLSTREAM_FEED_LINGER_MS: '50' };
beforeAll(async () => {
  store = await startTestLog(2);
  edge = await startTestEdge(store.nats, { ...env, TOOLSTREAM_PARTITIONS: '2' });
});
afterAll(async () => {
  await edge.stop();
  await store.stop();
});

let clock = Date.parse('2026-01-01T00:00:00Z');
/** Links of later calls are of newer runs. */
const linkTo = ({ run, app }: HandRun): MessageLink => ({ run, app, accepted_at: new Date(clock++).toISOString() });

/** As the orchestrator does. */
async function stored(message: string, link: MessageLink, tenant = 't1'): Promise<void> {
  const bucket = await new Kvm(store.nc).open(MESSAGES_BUCKET);
  await bucket.put(messageKey(tenant, message), JSON.stringify(link));
}

async function accepted(message_id: string, options: { tenant?: string; app?: string; partition?: number } = {}) {
  const run = await HandRun.accept(store.log, { message_id, ...options });
  await stored(message_id, linkTo(run), options.tenant);
  return run;
}

const gauges = () => ({
  subscriptions: edge.edge.services.clients.sum('subscriptions'),
  messages: edge.edge.services.messages.size,
});
const subscribeTo = (message_id: string | number, cursor?: string) => ({
  type: 'subscribe',
  message_id,
  ...(cursor === undefined ? {} : { cursor }),
});

/** Types of the frames about one run, in order, events by their own type. */
const story = (socket: TestSocket, run: string): string[] =>
  socket.frames
    .filter((frame) => 'run' in frame && frame.run === run)
    .map((frame) => (frame.type === 'event' ? (frame.event.type as string) : frame.type));

describe('A page that subscribes to a message', () => {
  it('before its run exists is told to wait, then gets every event from the first', async () => {
    const message = uniqueName('m');
    const socket = await TestSocket.hello(edge.wsUrl);
    socket.send(subscribeTo(message));
    expect(await socket.next('waiting')).toEqual({ type: 'waiting', message_id: message });
    const run = await accepted(message);
    expect(await socket.next('attached')).toEqual({
      type: 'attached',
      message_id: message,
      run: run.run,
      app: 'app-1',
    });
    await run.finish(2);
    await socket.next('end');
    const told = story(socket, run.run);
    expect(told.filter((type) => type !== 'caught_up')).toEqual([
      'attached',
      'run.accepted.v1',
      'run.started.v1',
      'tool.queued.v1',
      'tool.started.v1',
      'tool.progressed.v1',
      'tool.progressed.v1',
      'tool.succeeded.v1',
      'run.succeeded.v1',
      'end',
    ]);
    expect(socket.of('snapshot')).toEqual([]);
    await socket.close();
  });

  it('in its hello, named by an integer, is the same', async () => {
    const message = Math.floor(Math.random() * 1e9);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message }] });
    expect(await socket.next('waiting')).toEqual({ type: 'waiting', message_id: String(message) });
    const run = await accepted(String(message));
    expect((await socket.next('attached')).run).toBe(run.run);
    await socket.close();
  });

  it('after its run began gets a snapshot, or with a cursor what it missed', async () => {
    const message = uniqueName('m');
    const run = await accepted(message);
    const started = await run.start();
    await run.startTool(0);
    const late = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message }] });
    expect((await late.next('snapshot')).reason).toBe('cold');
    expect(story(late, run.run).slice(0, 2)).toEqual(['attached', 'snapshot']);
    const back = await TestSocket.hello(edge.wsUrl, {
      subscribe: [{ message_id: message, cursor: run.cursor(started) }],
    });
    await back.next('caught_up');
    expect(story(back, run.run)).toEqual(['attached', 'tool.queued.v1', 'tool.started.v1', 'caught_up']);
    const whole = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message, cursor: 'start' }] });
    await whole.next('caught_up');
    expect(story(whole, run.run)).toHaveLength(6);
    expect(late.of('waiting').length + back.of('waiting').length).toBe(0);
    await Promise.all([late.close(), back.close(), whole.close()]);
  });

  it('finds the run through the projection where the link was lost', async () => {
    const message = uniqueName('m');
    const run = await HandRun.accept(store.log, { message_id: message });
    const asked: unknown[] = [];
    const projection = store.nc.subscribe(querySubject('runs'), {
      callback: (_error, request) => {
        const query = request.json<{ message_id: string }>();
        asked.push(query);
        const item = {
          run_id: run.run,
          app: run.app,
          message_id: message,
          status: 'accepted',
          cursor: run.cursor(1),
          accepted_at: '2026-01-01T00:00:00.000Z',
          tools_total: 1,
          tools_ended: 0,
        };
        request.respond(JSON.stringify({ runs: query.message_id === message ? [item] : [] }));
      },
    });
    await store.nc.flush();
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message }] });
    expect((await socket.next('attached')).run).toBe(run.run);
    expect(asked).toEqual([{ tenant: 't1', apps: '*', message_id: message, limit: 1 }]);
    projection.unsubscribe();
    await socket.close();
  });
});

describe('A message with several runs', () => {
  it('is followed to the newest, whose first events come whatever the older one had shown', async () => {
    const message = uniqueName('m');
    const first = await accepted(message);
    await first.start();
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message }] });
    await socket.next('caught_up');
    const second = await accepted(message);
    expect((await socket.next('attached', 2)).run).toBe(second.run);
    await socket.next('caught_up', 2);
    const seen = story(socket, first.run).length;
    await first.startTool(0);
    await second.finish(1);
    await socket.next('end');
    expect(story(socket, first.run)).toHaveLength(seen);
    expect(story(socket, second.run).slice(0, 2)).toEqual(['attached', 'run.accepted.v1']);
    expect(gauges().subscriptions).toBe(1);
    await socket.close();
  });

  it('is followed on after a run’s end', async () => {
    const message = uniqueName('m');
    const first = await accepted(message);
    await first.finish(1);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message, cursor: 'start' }] });
    await socket.next('end');
    const second = await accepted(message);
    expect((await socket.next('attached', 2)).run).toBe(second.run);
    await socket.close();
  });

  it('keeps to the newest, whichever link is written last', async () => {
    const message = uniqueName('m');
    const older = await HandRun.accept(store.log, { message_id: message });
    const olderLink = linkTo(older);
    const newer = await accepted(message);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message }] });
    await socket.next('attached');
    await stored(message, olderLink);
    await newer.start();
    await until(() => story(socket, newer.run).includes('run.started.v1'));
    expect(socket.of('attached').map(({ run }) => run)).toEqual([newer.run]);
    await socket.close();
  });

  it('does not take a cursor of the older run for one of the newer, in whatever partition', async () => {
    for (const partition of [0, 1]) {
      const message = uniqueName('m');
      const first = await accepted(message);
      const second = await accepted(message, { partition });
      await second.start();
      const late = await first.start();
      const socket = await TestSocket.hello(edge.wsUrl, {
        subscribe: [{ message_id: message, cursor: first.cursor(late) }],
      });
      await socket.next('caught_up');
      expect(story(socket, second.run)).toEqual(['attached', 'run.accepted.v1', 'run.started.v1', 'caught_up']);
      await socket.close();
    }
  });

  it('says with a snapshot that a cursor belongs to a log that is gone', async () => {
    const message = uniqueName('m');
    await accepted(message);
    for (const cursor of ['gone.0:5', store.log.cursor(0, 1_000_000)]) {
      const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message, cursor }] });
      expect((await socket.next('snapshot')).reason).toBe('epoch');
      await socket.close();
    }
  });
});

describe('Subscriptions to messages', () => {
  it('end with unsubscribe, and leave nothing behind with the connection', async () => {
    await until(() => gauges().subscriptions === 0);
    const [message, waiting] = [uniqueName('m'), uniqueName('m')];
    const run = await accepted(message);
    const socket = await TestSocket.hello(edge.wsUrl, {
      subscribe: [{ message_id: message }, { message_id: waiting }],
    });
    await Promise.all([socket.next('caught_up'), socket.next('waiting')]);
    expect(gauges()).toEqual({ subscriptions: 2, messages: 2 });
    socket.send({ type: 'unsubscribe', message_id: message });
    await until(() => gauges().subscriptions === 1);
    const seen = socket.frames.length;
    await run.start();
    await accepted(message);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(socket.frames).toHaveLength(seen);
    socket.cut();
    await until(() => gauges().messages === 0 && edge.edge.services.feeds.size === 0);
  });

  it('count like others, a message and its run as one', async () => {
    const messages = [uniqueName('m'), uniqueName('m'), uniqueName('m')];
    for (const message of messages) await accepted(message);
    const socket = await TestSocket.hello(edge.wsUrl);
    for (const message of messages) socket.send(subscribeTo(message));
    await socket.next('caught_up', 3);
    const fourth = uniqueName('m');
    socket.send(subscribeTo(fourth));
    const { code, message_id } = await socket.next('error');
    expect([code, message_id]).toEqual(['too_many_subscriptions', fourth]);
    await accepted(messages[0]!);
    await socket.next('attached', 4);
    expect(socket.of('error')).toHaveLength(1);
    await socket.close();
  });

  it('do not send a run twice to who has subscribed to it', async () => {
    const message = uniqueName('m');
    const run = await accepted(message);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await socket.next('caught_up');
    socket.send(subscribeTo(message));
    await socket.next('attached');
    await run.start();
    await until(() => story(socket, run.run).includes('run.started.v1'));
    socket.send({ type: 'unsubscribe', message_id: message });
    await run.startTool(0);
    await until(() => story(socket, run.run).includes('tool.started.v1'));
    expect(socket.of('event')).toHaveLength(3);
    await socket.close();
  });

  it('are refused for apps that the token does not allow, and know no other tenant', async () => {
    const message = uniqueName('m');
    await accepted(message, { tenant: 't2' });
    const narrow = token({ apps: ['app-2'] });
    const socket = await TestSocket.hello(edge.wsUrl, { token: narrow, subscribe: [{ message_id: message }] });
    await socket.next('waiting');
    await accepted(message, { app: 'app-1' });
    const refused = await socket.next('error');
    expect([refused.code, refused.message_id]).toEqual(['forbidden', message]);
    await until(() => gauges().subscriptions === 0);
    expect(socket.of('attached')).toEqual([]);

    const allowed = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message }] });
    await allowed.next('caught_up');
    allowed.send({ type: 'refresh', token: narrow });
    expect((await allowed.next('error')).message_id).toBe(message);
    await until(() => gauges().subscriptions === 0);

    const blind = await TestSocket.hello(edge.wsUrl, {
      token: token({ scope: 'runs:control' }),
      subscribe: [{ message_id: message }],
    });
    expect((await blind.next('error')).code).toBe('forbidden');
    await Promise.all([socket.close(), allowed.close(), blind.close()]);
  });

  it('are refused with a cursor that is none', async () => {
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: 'm1', cursor: 'nonsense' }] });
    const { code, message_id } = await socket.next('error');
    expect([code, message_id, gauges().subscriptions]).toEqual(['bad_cursor', 'm1', 0]);
    await socket.close();
  });

  it('wait again where the run of the link is no longer in the log', async () => {
    const message = uniqueName('m');
    await stored(message, linkTo(new HandRun(store.log)));
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id: message }] });
    await socket.next('waiting');
    const run = await accepted(message);
    expect((await socket.next('attached')).run).toBe(run.run);
    await socket.close();
  });
});

describe('While NATS is away', () => {
  it('pages go on waiting, and see what was accepted when it is back', async () => {
    const [early, late, gone] = [uniqueName('m'), uniqueName('m'), uniqueName('m')];
    const socket = await TestSocket.hello(edge.wsUrl, {
      subscribe: [{ message_id: early }, { message_id: late }, { message_id: gone }],
    });
    await socket.next('waiting', 3);
    await store.nats.kill9();
    await store.nats.restart();
    const runs = [await accepted(early), await accepted(late)];
    await socket.next('attached', 2);
    expect(
      socket
        .of('attached')
        .map(({ run }) => run)
        .sort(),
    ).toEqual(runs.map(({ run }) => run).sort());
    // The bucket itself may be lost: the next run makes it known again.
    await (await new Kvm(store.nc).open(MESSAGES_BUCKET)).destroy();
    await until(async () => {
      await accepted(gone).catch(() => {});
      return socket.of('attached').length >= 3;
    }, 30_000);
    await socket.close();
  }, 60_000);
});

import { Socket } from 'node:net';
import type { NatsConnection } from '@nats-io/transport-node';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectNats, createLogger } from '../src/index.ts';

const log = createLogger({ name: 'test', level: 'silent' });
let server: NatsServer;
let sender: NatsConnection;
let receiver: NatsConnection;

beforeAll(async () => {
  server = await startEphemeralNats();
  [sender, receiver] = await Promise.all([
    connectNats(server.url, 'sender', log),
    connectNats(server.url, 'receiver', log),
  ]);
});

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  await Promise.all([sender.close(), receiver.close()]);
  await server.stop();
});

/** Texts as they come; `all` resolves with the first `count`. */
async function collect(subject: string, count: number): Promise<{ all: Promise<string[]> }> {
  const texts: string[] = [];
  const all = new Promise<string[]>((resolve) => {
    receiver.subscribe(subject, {
      callback: (_, message) => {
        if (texts.push(message.string()) === count) resolve(texts);
      },
    });
  });
  await receiver.flush();
  return { all };
}

describe('A connection of a service', () => {
  it('writes once what one turn of the event loop publishes, in order', async () => {
    const { all } = await collect('turn', 20);
    const write = vi.spyOn(Socket.prototype, '_write');
    const writev = vi.spyOn(Socket.prototype as unknown as { _writev: () => void }, '_writev');
    for (let at = 0; at < 20; at++) {
      sender.publish('turn', String(at));
      // The client flushes in a microtask: each of these would be a write of its own.
      for (let turn = 0; turn < 4; turn++) await undefined;
    }
    expect(write.mock.calls.length + writev.mock.calls.length).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(write.mock.calls.length + writev.mock.calls.length).toBe(1);
    expect(await all).toEqual(Array.from({ length: 20 }, (_, at) => String(at)));
  });

  it('has sent everything when it was drained', async () => {
    const { all } = await collect('last', 3);
    const short = await connectNats(server.url, 'short', log);
    for (const text of ['a', 'b', 'c']) short.publish('last', text);
    await short.drain();
    expect(await all).toEqual(['a', 'b', 'c']);
  });

  it('goes on over the connection that replaces a lost one', async () => {
    await server.restart();
    for (const connection of [sender, receiver]) {
      await vi.waitUntil(() =>
        connection.flush().then(
          () => true,
          () => false,
        ),
      );
    }
    const { all } = await collect('again', 2);
    sender.publish('again', '1');
    for (let turn = 0; turn < 4; turn++) await undefined;
    sender.publish('again', '2');
    expect(await all).toEqual(['1', '2']);
  });
});

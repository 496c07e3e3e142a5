import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { assertPortFree, assertPortsFree, freePort, PortInUse } from '@toolstream/testkit';
import { afterEach, describe, expect, test } from 'vitest';

describe('ports', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  const listen = async (port: number, host: string) => {
    const server = createServer().listen(port, host);
    servers.push(server);
    await once(server, 'listening');
  };

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  test('a free port can be listened on and is not one that outgoing connections get', async () => {
    const port = await freePort();
    await listen(port, '127.0.0.1');
    if (process.platform === 'linux') {
      const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
      expect(port < range[0]! || port > range[1]!).toBe(true);
    }
  });

  test.each(['127.0.0.1', '0.0.0.0', '::1'])(
    'a port taken on %s is named, with its wisher, holder and remedy',
    async (host) => {
      const port = await freePort();
      await listen(port, host);
      const error = await assertPortFree(port, 'edge-1', 'set PORT to another port').catch(
        (thrown: PortInUse) => thrown,
      );
      expect(error).toBeInstanceOf(PortInUse);
      const { message } = error as PortInUse;
      expect(message).toContain(`port_in_use: port ${port}, wanted by edge-1, is held by`);
      expect(message).toContain('set PORT to another port, or end that process.');
      if (process.platform === 'linux') expect(message).toContain(`process ${process.pid} (`);
    },
  );

  test('all taken ports are named at once', async () => {
    const [first, second, third] = [await freePort(), await freePort(), await freePort()];
    await listen(first, '127.0.0.1');
    await listen(third, '127.0.0.1');
    const wishes = [first, second, third].map((port, index) => ({ port, what: `edge-${index + 1}` }));
    const error = (await assertPortsFree(wishes).catch((thrown) => thrown)) as PortInUse;
    expect(error.conflicts.map(({ port, what }) => [port, what])).toEqual([
      [first, 'edge-1'],
      [third, 'edge-3'],
    ]);
  });
});

import { describe, expect, it, vi } from 'vitest';
import type { Principal } from '../src/auth/principal.ts';
import { type Client, Clients } from '../src/socket/clients.ts';
import { drain } from '../src/socket/drain.ts';

const caller = (sub: string): Principal => ({ sub, tenant: 't1', scopes: [], apps: '*', exp: 0 });

function client(clients: Clients, what: Partial<Client> = {}) {
  const made = {
    kind: 'stream' as const,
    caller: undefined,
    subscriptions: 0,
    waitingBytes: 0,
    tick: vi.fn(),
    revoke: vi.fn(),
    drain: vi.fn(() => clients.remove(made)),
    terminate: vi.fn(() => clients.remove(made)),
    ...what,
  };
  clients.add(made);
  return made;
}

describe('clients', () => {
  it('are judged when a revocation comes, and when they come after it', async () => {
    const clients = new Clients(15_000);
    const revoked = new Set<string>();
    clients.judgeBy(({ sub }) => revoked.has(sub));
    const [one, two, unknown] = [
      client(clients, { caller: caller('one') }),
      client(clients, { caller: caller('two') }),
      client(clients),
    ];
    revoked.add('one');
    clients.revoke();
    expect(one.revoke).toHaveBeenCalledTimes(1);
    const late = client(clients, { caller: caller('one') });
    await new Promise((resolve) => setImmediate(resolve));
    expect(late.revoke).toHaveBeenCalledTimes(1);
    expect(two.revoke).not.toHaveBeenCalled();
    expect(unknown.revoke).not.toHaveBeenCalled();
    clients.close();
  });

  it('leave in an order of chance, each once, those too that come while the others go', async () => {
    const clients = new Clients(15_000);
    const order: number[] = [];
    const made = Array.from({ length: 50 }, (_, at) => {
      const one = client(clients, {
        drain: vi.fn(() => {
          order.push(at);
          clients.remove(one);
        }),
      });
      return one;
    });
    const drained = drain(clients, { TOOLSTREAM_DRAIN_DELAY_MS: 0, TOOLSTREAM_DRAIN_MS: 200 });
    const late = client(clients);
    await drained;
    for (const one of [...made, late]) expect(one.drain).toHaveBeenCalledTimes(1);
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    expect(clients.size).toBe(0);
  });
});

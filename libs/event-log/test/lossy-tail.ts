import type { NatsConnection, Subscription } from '@nats-io/nats-core';

/** Small, fast, seeded (mulberry32): the same losses in every run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * The connection, but live messages for which `drop` says so never reach their subscriber, as core NATS may lose them:
 * without a trace. With a number they arrive that many milliseconds late.
 */
export function lossyTail(nc: NatsConnection, drop: (subject: string) => boolean | number): NatsConnection {
  return new Proxy(nc, {
    get(target, name) {
      if (name === 'subscribe') {
        return ((subject, options) => {
          const callback = options?.callback;
          if (!subject.startsWith('ts.live.') || !callback) return target.subscribe(subject, options);
          return target.subscribe(subject, {
            ...options,
            callback: (error, message) => {
              const fate = error ? false : drop(message.subject);
              if (typeof fate === 'number') setTimeout(() => void callback(error, message), fate);
              else if (!fate) void callback(error, message);
            },
          });
        }) satisfies (...args: Parameters<NatsConnection['subscribe']>) => Subscription;
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

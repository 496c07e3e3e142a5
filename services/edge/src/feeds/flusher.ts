/**
 * Everything that became due within one turn of the event loop is done once, at its end: events that arrived in one packet
 * leave in one write per client. Feeds go first, because they fill the clients' queues.
 */
export interface Flusher {
  feed(work: () => void): void;
  client(work: () => void): void;
  /** What handing its bytes to one client costs at present, in milliseconds; nearly all of it is the system call. */
  readonly clientMs: number;
}

/** Weight of the newest measurement. A high one of a turn for few clients says little, so it counts for less. */
const NEWEST = 0.2;
const MANY_CLIENTS = 50;

export function flusher(now: () => number = () => performance.now()): Flusher {
  let feeds: (() => void)[] = [];
  let clients: (() => void)[] = [];
  let scheduled = false;
  let clientMs = 0;

  const run = () => {
    scheduled = false;
    const dueFeeds = feeds;
    feeds = [];
    for (const work of dueFeeds) work();
    const dueClients = clients;
    clients = [];
    if (dueClients.length === 0) return;
    const began = now();
    for (const work of dueClients) work();
    const measured = (now() - began) / dueClients.length;
    const weight = measured < clientMs ? 1 : Math.min(1, dueClients.length / MANY_CLIENTS);
    clientMs += (measured - clientMs) * NEWEST * weight;
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(run);
  };
  return {
    feed: (work) => {
      feeds.push(work);
      schedule();
    },
    client: (work) => {
      clients.push(work);
      schedule();
    },
    get clientMs() {
      return clientMs;
    },
  };
}

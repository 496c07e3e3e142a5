/**
 * Everything that became due within one turn of the event loop is done once, at its end: events that arrived in one packet
 * leave in one write per client. Feeds go first, because they fill the clients' queues.
 */
export interface Flusher {
  feed(work: () => void): void;
  client(due: DueClient): void;
  /** What handing its bytes to one client costs at present, in milliseconds; nearly all of it is the system call. */
  readonly clientMs: number;
}

/** A client that has something to be handed over: an object, so that a connection needs no function of its own for it. */
export interface DueClient {
  handOver(): void;
}

/** Weight of the newest measurement. A high one of a turn for few clients says little, so it counts for less. */
const NEWEST = 0.2;
const MANY_CLIENTS = 50;

export function flusher(now: () => number = () => performance.now()): Flusher {
  let feeds: (() => void)[] = [];
  let clients: DueClient[] = [];
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
    for (const client of dueClients) client.handOver();
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
    client: (due) => {
      clients.push(due);
      schedule();
    },
    get clientMs() {
      return clientMs;
    },
  };
}

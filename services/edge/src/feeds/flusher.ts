/**
 * Everything that became due within one turn of the event loop is done once, at its end: events that arrived in one packet
 * leave in one write per client. Feeds go first, because they fill the clients' queues.
 */
export interface Flusher {
  feed(work: () => void): void;
  client(work: () => void): void;
}

export function flusher(): Flusher {
  let feeds: (() => void)[] = [];
  let clients: (() => void)[] = [];
  let scheduled = false;

  const run = () => {
    scheduled = false;
    const dueFeeds = feeds;
    feeds = [];
    for (const work of dueFeeds) work();
    const dueClients = clients;
    clients = [];
    for (const work of dueClients) work();
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
  };
}

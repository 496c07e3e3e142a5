import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const waiting = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls `gone` once, when a response has been sent or cannot be any more; never within this call. The response itself does
 * not say so in every case: behind an unfinished answer on the same connection it is not told that the connection has ended.
 */
export function whenGone(response: ServerResponse, gone: () => void): void {
  const { socket } = response.req;
  const done = () => {
    response.off('close', done);
    if (!waiting.get(socket)?.delete(done)) return;
    gone();
  };
  ofConnection(socket).add(done);
  response.once('close', done);
  if (response.closed || socket.destroyed) queueMicrotask(done);
}

/** One listener for any number of responses on a connection. */
function ofConnection(socket: Socket): Set<() => void> {
  const known = waiting.get(socket);
  if (known) return known;
  const listeners = new Set<() => void>();
  waiting.set(socket, listeners);
  socket.once('close', () => {
    for (const listener of [...listeners]) listener();
  });
  return listeners;
}

import type { Client, RunWatch } from '@toolstream/client';
import type { RunState } from '@toolstream/proto-events';
import { EXIT, Failure } from './exit-codes.ts';
import { PlainLog } from './render/plain-log.ts';
import { renderRun } from './render/run-view.ts';
import { Screen } from './render/screen.ts';
import { styleFor } from './render/style.ts';

export interface FollowOptions {
  /** Where it is shown: a terminal is painted, anything else gets lines. */
  readonly stream: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** One JSON object a line in place of both. */
  readonly json?: boolean;
  /** Gives up watching; the run goes on. */
  readonly signal: AbortSignal;
  /** Gets a way to write above what is painted. */
  readonly onScreen?: (above: (text: string) => void) => void;
}

/** Shows a run until it ends. Rejects when it cannot be watched, or was interrupted. */
export async function follow(client: Client, watch: RunWatch, options: FollowOptions): Promise<RunState> {
  const stop = options.json
    ? asJson(watch, options)
    : options.stream.isTTY
      ? painted(client, watch, options)
      : logged(client, watch, options);
  const interrupted = Promise.withResolvers<never>();
  const interrupt = () =>
    interrupted.reject(new Failure(EXIT.interrupted, `Interrupted; the run goes on: toolstream watch ${watch.run}`));
  options.signal.addEventListener('abort', interrupt, { once: true });
  if (options.signal.aborted) interrupt();
  try {
    return await Promise.race([watch.done, interrupted.promise]);
  } finally {
    options.signal.removeEventListener('abort', interrupt);
    stop();
    watch.close();
  }
}

function painted(client: Client, watch: RunWatch, { stream, env, onScreen }: FollowOptions): () => void {
  const style = styleFor(stream, env);
  const screen = new Screen(stream, (size) => {
    const { state } = watch;
    const notice = noticeOf(client);
    if (!state) return [notice ?? 'Waiting for the run.'];
    return renderRun(state, { ...size, now: Date.now(), style, notice });
  });
  watch.on('state', () => screen.invalidate());
  const ignore = client.onConnection(() => screen.invalidate());
  onScreen?.((text) => screen.above(text));
  screen.start();
  return () => {
    ignore();
    screen.stop();
  };
}

function noticeOf({ connection }: Client): string | undefined {
  if (connection.status === 'waiting') {
    const seconds = Math.max(0, Math.ceil(((connection.retry_at ?? 0) - Date.now()) / 1000));
    return `The connection is lost (${connection.reason}); trying again in ${seconds} s. The run goes on.`;
  }
  return connection.status === 'connecting' ? 'Connecting.' : undefined;
}

function logged(client: Client, watch: RunWatch, { stream, onScreen }: FollowOptions): () => void {
  const log = new PlainLog();
  const write = (text: string | undefined) => {
    if (text !== undefined) stream.write(`${text}\n`);
  };
  watch.on('snapshot', ({ state }) => write(log.begin(state)));
  watch.on('event', ({ event, state }) => write(log.line(event, state)));
  onScreen?.(write);
  return client.onConnection(({ status, transport, reason }) => {
    if (status === 'waiting') write(`The connection is lost (${reason}); the run goes on.`);
    if (status === 'open' && transport !== 'websocket')
      write(`Following by ${transport}, for want of something better.`);
  });
}

function asJson(watch: RunWatch, { stream }: FollowOptions): () => void {
  const write = (item: unknown) => stream.write(`${JSON.stringify(item)}\n`);
  watch.on('snapshot', write);
  watch.on('event', ({ state, ...item }) => write(item));
  watch.on('end', write);
  return () => {};
}

export const exitCodeOf = (state: RunState): number => (state.status === 'succeeded' ? EXIT.ok : EXIT.runFailed);

import { type AppWatch, type Client, createClient, type RunWatch, ToolstreamError } from '@toolstream/client';
import type { ClientFrame, RunState, ServerFrame } from '@toolstream/proto-events';
import { foreign, placeOf, seqIn } from '../place.ts';
import type { Line } from '../proxy.ts';
import { namesOf, type Recorder } from '../record.ts';
import type { Truth } from '../truth.ts';
import { type Deed, type DeliveryClient, type FirstCursor, FOREIGN_CURSOR } from './client.ts';

const RETRY_MS = 300;

export interface LibraryOptions {
  readonly name: string;
  readonly line: Line;
  readonly recorder: Recorder;
  readonly topics: readonly string[];
  readonly first: FirstCursor;
  token(): string;
}

interface Watched {
  watch: RunWatch | AppWatch;
  over: boolean;
  /** Closed by the application, which comes back by a timer. */
  left?: boolean;
  lost: boolean;
  /** What the library reported since its last snapshot. */
  reported: Set<string>;
  cursor: string;
}

/** The client library as an application uses it; its socket is recorded beneath it. */
export class LibraryClient implements DeliveryClient {
  readonly name: string;
  readonly line: Line;
  readonly recorder: Recorder;
  readonly topics: readonly string[];
  readonly complaints: string[] = [];
  readonly #options: LibraryOptions;
  readonly #watched = new Map<string, Watched>();
  #client: Client | undefined;
  #stopped = false;

  constructor(options: LibraryOptions) {
    this.#options = options;
    this.name = options.name;
    this.line = options.line;
    this.recorder = options.recorder;
    this.topics = options.topics;
  }

  start(): void {
    const { line, recorder, token } = this.#options;
    this.#client = createClient({
      url: `http://127.0.0.1:${line.port}`,
      token: async () => token(),
      // What is recorded, and so judged, is what comes over a socket.
      transports: ['websocket'],
      WebSocket: recordedSocket(recorder),
    });
    this.#client.onConnection((state) => recorder.note(`connection ${state.status} ${state.reason ?? ''}`));
    const { first } = this.#options;
    for (const topic of this.topics) {
      this.#watch(topic, first === 'start' ? 'start' : first === 'foreign' ? FOREIGN_CURSOR : undefined);
    }
  }

  /** The library has no bad manners: what happens to it comes from outside. */
  act(deed: Deed): void {
    if (deed.do === 'away') this.line.cut();
    if (deed.do !== 'leave' || this.topics.length === 0) return;
    const topic = this.topics[0]!;
    const known = this.#watched.get(topic);
    if (!known || known.over || known.left) return;
    known.left = true;
    const { state, cursor } = known.watch;
    known.watch.close();
    setTimeout(() => this.#watch(topic, cursor, state), deed.forMs);
  }

  #watch(topic: string, cursor?: string, state?: unknown): void {
    if (this.#stopped) return;
    const from = {
      ...(cursor === undefined ? {} : { cursor }),
      ...(state === undefined || cursor === undefined ? {} : { state: state as never }),
    };
    const names = namesOf(topic);
    const watch = 'run' in names ? this.#client!.watch(names.run, from) : this.#client!.watchApp(names.app, from);
    const watched: Watched = { watch, over: false, lost: false, reported: new Set(), cursor: 'start' };
    this.#watched.set(topic, watched);
    watch.on('snapshot', () => {
      watched.reported.clear();
      watched.cursor = 'start';
    });
    watch.on('event', ({ cursor: at, event }) => this.#reported(watched, at, event.id));
    watch.on('gap', ({ expected, received }) =>
      this.recorder.note(`the library saw a gap at ${expected}: ${received}`),
    );
    watch.on('end', () => {
      if ('run' in names) watched.over = true;
    });
    watch.on('error', (error) => {
      this.recorder.note(`the library says ${error.code}`);
      // Not found is no end here: the log is being restored, and the application tries again.
      if (error.code !== 'not_found') return;
      watched.lost = true;
      const last = { state: watch.state, cursor: watch.cursor };
      setTimeout(() => this.#watch(topic, last.cursor, last.state), RETRY_MS);
    });
    if ('done' in watch) watch.done.catch((error: unknown) => this.#ended(error));
  }

  #ended(error: unknown): void {
    const expected = ['watch_closed', 'client_closed', 'not_found'];
    if (error instanceof ToolstreamError && expected.includes(error.code)) return;
    this.complaints.push(`a watch ended: ${String(error)}`);
  }

  /** Cursors only grow within an epoch, and no event is reported twice. */
  #reported(watched: Watched, cursor: string, id: string): void {
    const [a, b] = [placeOf(watched.cursor)!, placeOf(cursor)!];
    if (!foreign(a, b)) {
      const grew = [...b].some(([partition, { seq }]) => seq > seqIn(a, partition));
      const shrank = [...a].some(([partition, { seq }]) => seq > seqIn(b, partition));
      if (!grew || shrank) this.complaints.push(`the library reported ${cursor} after ${watched.cursor}`);
      if (watched.reported.has(id)) this.complaints.push(`the library reported ${id} twice`);
    }
    watched.reported.add(id);
    watched.cursor = cursor;
  }

  isCaughtUp(truth: Truth): boolean {
    return this.topics.every((topic) => {
      const watched = this.#watched.get(topic);
      if (!watched) return false;
      const names = namesOf(topic);
      if ('run' in names) return watched.over || (truth.isLost(names.run) && watched.lost);
      return truth.isReached(placeOf(watched.watch.cursor ?? 'start'));
    });
  }

  stateOf(topic: string, run: string): RunState | undefined {
    const state = this.#watched.get(topic)?.watch.state;
    if (state === undefined) return undefined;
    return 'runs' in state ? state.runs.find((known) => known.run_id === run) : state;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#client?.close();
    await this.line.close();
  }
}

/** The global WebSocket, with everything that passes written down. */
function recordedSocket(recorder: Recorder): new (url: string, protocols: string[]) => WebSocket {
  return class extends WebSocket {
    readonly #connection = recorder.opened();

    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) =>
        recorder.received(this.#connection, JSON.parse(String(data)) as ServerFrame),
      );
      this.addEventListener('close', ({ code }) => recorder.closed(this.#connection, String(code)));
    }

    override send(data: string): void {
      recorder.sent(this.#connection, JSON.parse(data) as ClientFrame);
      super.send(data);
    }
  };
}

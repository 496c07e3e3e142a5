import { fold, type Recorded } from '@toolstream/domain';
import { isRunEnded, partitionOfRun, type RunState } from '@toolstream/proto-events';
import { type Place, seqIn } from './place.ts';

/** What one run's writer had acknowledged, per incarnation of the stream. */
interface RunTruth {
  readonly run: string;
  readonly partition: number;
  readonly epochs: Map<string, Recorded[]>;
  /** The log was made anew without it. */
  lost: boolean;
}

/** What a scenario's log holds, known from the acknowledgements alone: the edge has no part in it. */
export class Truth {
  readonly app: string;
  readonly #runs = new Map<string, RunTruth>();
  readonly #began: number;
  readonly #gone: ReadonlyMap<string, number>;

  /** `gone`: incarnations of streams that are no more, and when they went. */
  constructor(app: string, began: number, gone: ReadonlyMap<string, number> = new Map()) {
    this.app = app;
    this.#began = began;
    this.#gone = gone;
  }

  /** The cursor names an incarnation that was gone by then. An edge may take seconds to hear of it. */
  isOutdated(cursor: Place, ms: number): boolean {
    return [...cursor.values()].some(
      ({ epoch }) => (this.#gone.get(epoch) ?? Number.POSITIVE_INFINITY) - this.#began <= ms,
    );
  }

  get runs(): string[] {
    return [...this.#runs.keys()];
  }

  addRun(run: string): void {
    this.#runs.set(run, { run, partition: partitionOfRun(run)!, epochs: new Map(), lost: false });
  }

  record(run: string, epoch: string, recorded: Recorded): void {
    const { epochs } = this.#runs.get(run)!;
    const events = epochs.get(epoch) ?? [];
    // Acknowledgements of several writers may overtake each other; the log's order is that of the sequences.
    let at = events.length;
    while (at > 0 && events[at - 1]!.seq > recorded.seq) at--;
    events.splice(at, 0, recorded);
    epochs.set(epoch, events);
  }

  lose(run: string): void {
    this.#runs.get(run)!.lost = true;
  }

  isLost(run: string): boolean {
    return this.#runs.get(run)!.lost;
  }

  /** The incarnation that a run was written into last. */
  epoch(run: string): string | undefined {
    return [...this.#runs.get(run)!.epochs.keys()].at(-1);
  }

  /** A run's events in one incarnation, or in the newest one. */
  events(run: string, epoch?: string): readonly Recorded[] {
    const { epochs, lost } = this.#runs.get(run)!;
    if (epoch !== undefined) return epochs.get(epoch) ?? [];
    return lost ? [] : ([...epochs.values()].at(-1) ?? []);
  }

  /** The state in the end, and the end of every incarnation before in which the run had one; the last is the present. */
  endsOf(run: string): (RunState | undefined)[] {
    const states = [...this.#runs.get(run)!.epochs.values()].map((events) => fold(events));
    return states.filter((state, at) => at === states.length - 1 || (state && isRunEnded(state.status)));
  }

  /** Whoever is here has every run's last event, in the incarnation that is there now. */
  isReached(place: Place | undefined): boolean {
    return this.runs.every((run) => {
      const last = this.events(run).at(-1);
      const here = place?.get(partitionOfRun(run)!);
      return last === undefined || (here !== undefined && here.epoch === this.epoch(run) && here.seq >= last.seq);
    });
  }

  stateAt(run: string, at: Place): RunState | undefined {
    const partition = partitionOfRun(run)!;
    const epoch = at.get(partition)?.epoch;
    if (epoch === undefined) return undefined;
    const seq = seqIn(at, partition);
    return fold(this.events(run, epoch).filter((recorded) => recorded.seq <= seq));
  }

  /** Events of a topic behind `from` and up to `to`, per partition in stream order. */
  between(topic: string, from: Place, to: Place): Recorded[] {
    const runs = topic.startsWith('run/') ? [topic.slice(4)] : this.runs;
    const found = runs.flatMap((run) => {
      const partition = partitionOfRun(run)!;
      const end = to.get(partition);
      if (!end || !this.#runs.has(run)) return [];
      const begin = seqIn(from, partition);
      return this.events(run, end.epoch).filter(({ seq }) => seq > begin && seq <= end.seq);
    });
    return found.sort((a, b) => a.seq - b.seq);
  }
}

import { evolveControl, FREE, type RunControl, toolControl } from '@toolstream/domain';
import { type EventLog, isRetryable } from '@toolstream/event-log';
import { type PausePolicy, partitionOfRun, type RunAddress, runSubject } from '@toolstream/proto-events';

export type Verdict = 'run' | 'pause' | 'cancel';

export interface Controlled {
  readonly run: RunAddress;
  readonly index: number;
  /** What a pause does to it. Absent: `hold`. */
  readonly pause?: PausePolicy | undefined;
  /** The run's control is known to be free at this sequence: that of the event that dispatched the job. */
  readonly knownSeq: number;
  /** Called whenever a look at the log finds another verdict than the one told last. */
  onVerdict(verdict: Verdict): void;
}

interface Member {
  readonly attempt: Controlled;
  told: Verdict;
}

interface WatchedRun {
  readonly address: RunAddress;
  readonly members: Set<Member>;
  control: RunControl;
  /** The fold began here, and has come to `seq`. */
  from: number;
  seq: number;
  looking: Promise<void> | undefined;
  lookAgain: boolean;
}

/** A claim's own look comes this late: most attempts of quick tools have ended by then and need none. */
const AFTER_CLAIM_MS = 20;
/** A signal may arrive before the event that it announces can be read on every replica. */
const AFTER_EMPTY_SIGNAL_MS = [100, 400];

/**
 * What the runs of the running attempts ask of them: pause, resume, cancel. The truth is the run's own subject; a
 * signal only says when to look. One look per run at a time, one read for all its attempts; a look that began before
 * an attempt joined does not count for it. Lost signals are made up for by looks at every heartbeat and reconnect.
 */
export class ControlWatch {
  readonly #log: EventLog;
  readonly #onError: (error: unknown) => void;
  readonly #runs = new Map<string, WatchedRun>();
  #stopped = false;

  constructor(log: EventLog, onError: (error: unknown) => void) {
    this.#log = log;
    this.#onError = onError;
  }

  /** Begins to watch for an attempt, right after its claim; the returned function ends it. */
  join(attempt: Controlled): () => void {
    const key = keyOf(attempt.run.tenant, attempt.run.run);
    const run = this.#runs.get(key) ?? this.#begin(key, attempt);
    const member: Member = { attempt, told: 'run' };
    run.members.add(member);
    const timer = setTimeout(() => this.#look(run), AFTER_CLAIM_MS);
    return () => {
      clearTimeout(timer);
      run.members.delete(member);
      if (run.members.size === 0 && this.#runs.get(key) === run) this.#runs.delete(key);
    };
  }

  /** Something may have happened to this run. */
  async signal(tenant: string, runId: string): Promise<void> {
    const run = this.#runs.get(keyOf(tenant, runId));
    if (!run) return;
    const before = run.seq;
    await this.#look(run);
    for (const wait of AFTER_EMPTY_SIGNAL_MS) {
      if (run.seq !== before || run.members.size === 0 || this.#stopped) return;
      await new Promise((resolve) => setTimeout(resolve, wait));
      await this.#look(run);
    }
  }

  /** Looks at every watched run. */
  async all(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => this.#look(run)));
  }

  stop(): void {
    this.#stopped = true;
    this.#runs.clear();
  }

  #begin(key: string, attempt: Controlled): WatchedRun {
    const { tenant, app, run } = attempt.run;
    const watched: WatchedRun = {
      address: { tenant, app, run },
      members: new Set(),
      control: FREE,
      from: attempt.knownSeq,
      seq: attempt.knownSeq,
      looking: undefined,
      lookAgain: false,
    };
    this.#runs.set(key, watched);
    return watched;
  }

  /** Single flight: a caller that finds a look on its way gets the one after it. Never rejects. */
  async #look(run: WatchedRun): Promise<void> {
    if (run.looking !== undefined) {
      run.lookAgain = true;
      await run.looking;
      return;
    }
    run.looking = this.#lookUntilQuiet(run);
    await run.looking;
    run.looking = undefined;
  }

  async #lookUntilQuiet(run: WatchedRun): Promise<void> {
    do {
      run.lookAgain = false;
      try {
        await this.#read(run);
      } catch (error) {
        // The next heartbeat looks again.
        if (!isRetryable(error)) this.#onError(error);
      }
    } while (run.lookAgain && run.members.size > 0 && !this.#stopped);
  }

  async #read(run: WatchedRun): Promise<void> {
    const partition = partitionOfRun(run.address.run) ?? 0;
    const earliest = Math.min(...[...run.members].map((member) => member.attempt.knownSeq));
    if (earliest < run.from) {
      // An attempt of an earlier dispatch joined late: what was asked of it may lie before the fold's beginning.
      run.control = FREE;
      run.from = run.seq = earliest;
    }
    for await (const stored of this.#log.read(runSubject(run.address), { partition, from: run.seq + 1 })) {
      run.control = evolveControl(run.control, stored.event());
      run.seq = stored.seq;
    }
    for (const member of run.members) {
      // Folded only to before this dispatch, the control may show a pause that the dispatch has left behind.
      if (run.seq < member.attempt.knownSeq) continue;
      const verdict = toolControl(run.control, member.attempt);
      if (verdict === member.told) continue;
      member.told = verdict;
      member.attempt.onVerdict(verdict);
    }
  }
}

const keyOf = (tenant: string, run: string): string => `${tenant}.${run}`;

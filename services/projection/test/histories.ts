import { advance, type Draft, decide, evolve, toEvent } from '@toolstream/domain';
import {
  isRunEnded,
  type PlannedTool,
  type RunPlan,
  type RunState,
  type ToolState,
  type ToolstreamEvent,
} from '@toolstream/proto-events';

/** A small random generator with a seed (mulberry32): the same seed gives the same histories. */
export function randomOf(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ULID = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
export function runIdOf(random: () => number, partition = 0): string {
  let id = '';
  for (let i = 0; i < 26; i++) id += ULID[Math.floor(random() * (i === 0 ? 8 : 32))];
  return `${partition}-${id}`;
}

export const plannedTool = (index: number, over: Partial<PlannedTool> = {}): PlannedTool => ({
  index,
  call_id: `call_${index}`,
  name: `tool-${index % 3}`,
  description: 'Writes a file',
  pool: 'default',
  arguments: { file_path: `f${index}` },
  depends_on: [],
  timeout_ms: 60_000,
  retries: { max_attempts: 3, initial_ms: 10, factor: 2, max_ms: 100 },
  idempotent: true,
  isolation: 'inline',
  approval_policy: 'never',
  destructive: false,
  estimated_duration_ms: 100,
  ...over,
});

export const planOf = (tools: PlannedTool[], over: Partial<RunPlan> = {}): RunPlan => ({
  ordering: 'parallel',
  priority: 'normal',
  timeout_ms: 3_600_000,
  max_age_ms: 14 * 86_400_000,
  tools,
  request_hash: 'h',
  ...over,
});

export const T0 = Date.UTC(2026, 0, 1);

/**
 * One run's legal life, event by event: an orchestrator that decides by the core's rules and attempts that each hold
 * their tool's subject. Events get sequences of their own here; in a log they get the log's.
 */
export class RunHistory {
  readonly run_id: string;
  readonly tenant: string;
  readonly app: string;
  readonly events: ToolstreamEvent[] = [];
  readonly #random: () => number;
  #state: RunState | undefined;
  #clock: number;

  constructor(
    random: () => number,
    plan: RunPlan,
    { run_id = runIdOf(random), tenant = 't1', app = 'app1', begins = T0 } = {},
  ) {
    this.#random = random;
    this.run_id = run_id;
    this.tenant = tenant;
    this.app = app;
    this.#clock = begins;
    this.#append({ type: 'run.accepted.v1', writer: 'run', data: plan } as Draft);
  }

  get state(): RunState {
    return this.#state!;
  }

  get ended(): boolean {
    return isRunEnded(this.state.status);
  }

  /** One random step; more progress and output than anything else, as in life. */
  step(): void {
    this.#clock += Math.floor(this.#random() * 2_000);
    const running = this.state.tools.filter((tool) => tool.status === 'running');
    const queued = this.state.tools.filter((tool) => tool.status === 'queued');
    const dice = this.#random();
    if (dice < 0.06) this.#command();
    else if (queued.length > 0 && dice < 0.3) this.#start(this.#one(queued));
    else if (running.length > 0 && dice < 0.9) this.#attempt(this.#one(running));
    else this.#advance();
  }

  /** Steps until the run has ended, or `max`. */
  play(max = 400): this {
    for (let i = 0; i < max && !this.ended; i++) this.step();
    return this;
  }

  /** Straight on: every tool starts, reports `progress` times and succeeds. */
  succeed(progress = 0): this {
    while (!this.ended) {
      this.#advance();
      for (const tool of this.state.tools.filter(({ status }) => status === 'queued')) this.#start(tool);
      for (const tool of this.state.tools.filter(({ status }) => status === 'running')) {
        for (let i = 0; i < progress; i++) {
          this.of(tool.index, 'tool.progressed.v1', { stage: 'writing', message: `line ${i}`, progress: i % 100 });
        }
        this.of(tool.index, 'tool.succeeded.v1', { result: { ok: true }, metrics: { duration_ms: 20, queue_ms: 1 } });
      }
    }
    return this;
  }

  /** An event of the tool's current attempt, on the tool's own subject. */
  of(index: number, type: ToolstreamEvent['type'], data: object, attempt = this.state.tools[index]!.attempt): void {
    this.#append({ type, writer: index, toolindex: index, attempt, data } as Draft);
  }

  /** Sets the clock, in ms since 1970. */
  at(ms: number): this {
    this.#clock = ms;
    return this;
  }

  start(index: number): void {
    this.#start(this.state.tools[index]!);
  }

  advance(): void {
    this.#advance();
  }

  #one<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }

  #now() {
    return { at: new Date(this.#clock).toISOString(), random: this.#random() };
  }

  #advance(): void {
    for (const draft of advance(this.state, this.#now())) this.#append(draft);
  }

  #command(): void {
    const asked = { id: `k${Math.floor(this.#random() * 50)}`, actor: 'ann', reason: 'because' };
    const index = Math.floor(this.#random() * this.state.tools.length);
    const types = ['pause', 'resume', 'cancel_tool', 'retry_tool', 'approve_tool', 'deny_tool'] as const;
    const type = this.#random() < 0.03 ? ('cancel' as const) : this.#one(types);
    const command = type === 'pause' || type === 'resume' || type === 'cancel' ? { type } : { type, index };
    const decision = decide({ ...command, ...asked } as Parameters<typeof decide>[0], this.state, this.#now());
    if (decision.ok) for (const draft of decision.drafts) this.#append(draft);
  }

  #start(tool: ToolState): void {
    const data = { dispatch: tool.dispatch, executor: 'x', queue_ms: 3 };
    this.of(tool.index, 'tool.started.v1', data, tool.attempt + 1);
  }

  #attempt({ index }: ToolState): void {
    const dice = this.#random();
    const error = { code: 'tool_error', message: 'no\u0000pe \ud800' };
    const metrics = { duration_ms: Math.floor(this.#random() * 1_000), queue_ms: 3, lines_written: 2 };
    if (dice < 0.55) {
      this.of(index, 'tool.progressed.v1', { stage: 'writing', progress: Math.floor(this.#random() * 100) });
    } else if (dice < 0.75) {
      const text = 'x\u0000\u001b[1m'.repeat(Math.floor(this.#random() * 1_500));
      this.of(index, 'tool.output.v1', { channel: dice < 0.65 ? 'stdout' : 'stderr', text });
    } else if (dice < 0.79) this.of(index, 'tool.checkpointed.v1', { state: { at: this.#random() } });
    else if (dice < 0.83) this.of(index, 'tool.failed.v1', { error, retryable: true, metrics });
    else if (dice < 0.85) this.of(index, 'tool.released.v1', { reason: 'drain' });
    else if (dice < 0.87) this.of(index, 'tool.failed.v1', { error, retryable: false });
    else this.of(index, 'tool.succeeded.v1', { result: { wrote: index }, metrics });
  }

  #append(draft: Draft): void {
    const seq = this.events.length + 1;
    const stamp = { id: `${this.run_id}-${seq}`, source: 'toolstream/test', at: new Date(this.#clock).toISOString() };
    const event = toEvent(draft, this, stamp);
    this.events.push(event);
    this.#state = evolve(this.#state, { event, seq }) ?? this.#state;
  }
}

/** One log of several histories: each in its own order, mixed at random. */
export function interleaved(random: () => number, histories: readonly RunHistory[]): ToolstreamEvent[] {
  const rest = histories.map(({ events }) => ({ events, at: 0 }));
  const log: ToolstreamEvent[] = [];
  for (let open = rest; open.length > 0; open = open.filter(({ events, at }) => at < events.length)) {
    const one = open[Math.floor(random() * open.length)]!;
    // Bursts, as a tool that reports often makes them.
    for (let n = 1 + Math.floor(random() * 6); n > 0 && one.at < one.events.length; n--)
      log.push(one.events[one.at++]!);
  }
  return log;
}

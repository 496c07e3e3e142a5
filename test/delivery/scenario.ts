import { ulid } from 'ulid';
import { differenceOf, judge, problemsOfFold } from './checker.ts';
import type { Deed, DeliveryClient, FirstCursor } from './clients/client.ts';
import { LibraryClient } from './clients/library.ts';
import { RawClient } from './clients/raw.ts';
import { SseClient } from './clients/sse.ts';
import { type LineFault, planLineFault, type WorldFault } from './faults.ts';
import { Line } from './proxy.ts';
import { type Random, randomOf, sleep } from './random.ts';
import { excerptOf, Recorder } from './record.ts';
import { Truth } from './truth.ts';
import { TENANT, type World } from './world.ts';
import { type RunPlanned, RunWriter } from './writer.ts';

export interface ClientPlan {
  readonly kind: 'library' | 'raw' | 'sse';
  readonly topics: readonly string[];
  readonly first: FirstCursor;
  readonly startMs: number;
  /** Seconds that its tokens last. */
  readonly tokenSeconds: number;
  readonly deeds: readonly { atMs: number; deed: Deed }[];
  readonly line: readonly { atMs: number; fault: LineFault }[];
}

export interface Scenario {
  readonly seed: number;
  readonly app: string;
  readonly runs: readonly RunPlanned[];
  readonly clients: readonly ClientPlan[];
  /** At these times a run's events so far are purged. */
  readonly purges: readonly { atMs: number; run: number }[];
}

/** An edge compares its feeds with the log at least this often. */
const COMPARED_MS = 5_000;
/** From the last event and the last repair to every client's being caught up. */
const SETTLE_MS = 45_000;

export function planScenario(seed: number, partitions: number): Scenario {
  const random = randomOf(seed);
  const app = `app-${seed}-${ulid().slice(-6)}`;
  // Purges of single runs leave holes in an app's stream that no cursor of the app can show: they are for runs alone.
  const watchesApp = random.chance(0.6);
  const style = random.pick(['calm', 'calm', 'brisk', 'burst', 'burst', 'heavy'] as const);
  const runs = Array.from({ length: random.int(1, 3) }, () => planRun(random, partitions, style, watchesApp));
  const topics = runs.map(({ run }) => `run/${run}`);
  const clients = Array.from({ length: random.int(2, 4) }, (_, index) =>
    planClient(random.fork(index), watchesApp ? [...topics, `app/${app}`] : topics),
  );
  const purges =
    watchesApp || random.chance(0.5) ? [] : times(random, 2, (atMs) => ({ atMs, run: random.int(0, runs.length - 1) }));
  return { seed, app, runs, clients, purges };
}

type Style = 'calm' | 'brisk' | 'burst' | 'heavy';
const STYLES: Record<Style, { steps: [number, number]; paceMs: number; outputBytes: number }> = {
  calm: { steps: [5, 25], paceMs: 80, outputBytes: 200 },
  brisk: { steps: [20, 80], paceMs: 20, outputBytes: 200 },
  burst: { steps: [50, 400], paceMs: 0, outputBytes: 100 },
  heavy: { steps: [40, 120], paceMs: 4, outputBytes: 16_000 },
};

function planRun(random: Random, partitions: number, style: Style, watchesApp: boolean): RunPlanned {
  const { steps, paceMs, outputBytes } = STYLES[style];
  return {
    run: `${random.int(0, partitions - 1)}-${ulid()}`,
    tools: random.int(1, 3),
    ordering: random.pick(['sequential', 'parallel']),
    steps: random.int(...steps),
    paceMs,
    outputBytes,
    startMs: random.int(0, 500),
    whenRecreated: random.chance(0.75) ? 'restored' : 'lost',
    purgedAtEnd: !watchesApp && random.chance(0.2),
  };
}

function planClient(random: Random, topics: readonly string[]): ClientPlan {
  const kind = random.pick(['library', 'library', 'raw', 'raw', 'sse'] as const);
  const some = topics.filter(() => random.chance(0.6));
  const runs = topics.filter((topic) => topic.startsWith('run/'));
  const chosen = kind === 'sse' ? [random.pick(runs)] : some.length > 0 ? some : [random.pick(topics)];
  return {
    kind,
    topics: chosen,
    first: random.pick(['start', 'start', 'start', 'nothing', 'nothing', 'foreign']),
    startMs: random.int(100, 1_500),
    tokenSeconds: random.pick([600, 600, 600, 2]),
    deeds: times(random, 4, (atMs) => ({ atMs, deed: planDeed(random) })),
    line: times(random, 3, (atMs) => ({ atMs, fault: planLineFault(random) })),
  };
}

function planDeed(random: Random): Deed {
  const forMs = random.pick([0, 50, 400, 1_500]);
  switch (random.pick(['repeat', 'repeat', 'repeat', 'away', 'leave', 'refresh'] as const)) {
    case 'repeat':
      return { do: 'repeat', from: random.pick(['here', 'here', 'earlier', 'start', 'nothing', 'future', 'foreign']) };
    case 'away':
      return { do: 'away', forMs };
    case 'leave':
      return { do: 'leave', forMs };
    case 'refresh':
      return { do: 'refresh' };
  }
}

const times = <T>(random: Random, most: number, make: (atMs: number) => T): T[] =>
  Array.from({ length: random.int(0, most) }, () => make(random.int(150, 3_000)));

/** A scenario under way: its writers are what the world's faults must spare. */
export class Running {
  readonly scenario: Scenario;
  readonly truth: Truth;
  readonly writers: RunWriter[];
  readonly #world: World;
  readonly #clients: DeliveryClient[] = [];
  readonly #timeline: string[] = [];
  readonly #began = performance.now();
  #stopped = false;

  /** Clients that took a hole along before their edge had found it. */
  readonly incomplete: string[] = [];
  readonly #lossy: boolean;

  constructor(world: World, scenario: Scenario, faults: readonly WorldFault[]) {
    this.#world = world;
    this.#lossy = faults.some(({ kind }) => kind === 'live_messages_lost');
    // Without the projection nobody knows what a purged run was.
    const mayPurge = !faults.some(({ kind }) => kind === 'projection_silent');
    this.scenario = mayPurge ? scenario : withoutPurges(scenario);
    scenario = this.scenario;
    this.truth = new Truth(scenario.app, this.#began, world.store.gone);
    const random = randomOf(scenario.seed).fork(99);
    this.writers = scenario.runs.map(
      (plan, index) =>
        new RunWriter(
          world.store,
          this.truth,
          random.fork(index),
          { tenant: TENANT, app: scenario.app, run: plan.run },
          plan,
        ),
    );
  }

  say(text: string): void {
    this.#timeline.push(`    ${String(Math.round(performance.now() - this.#began)).padStart(6)} ${text}`);
  }

  /** Runs it to its end and judges it; empty when nothing is wrong. `repaired` ends with the world's last fault. */
  async verdict(repaired: Promise<void>): Promise<string[]> {
    try {
      await Promise.all([
        repaired,
        ...this.writers.map((writer) => writer.write()),
        ...this.scenario.purges.map((purge) => this.#purge(purge)),
        ...this.scenario.clients.map((plan, index) => this.#client(plan, index)),
      ]);
      for (const writer of this.writers) await writer.settle();
      const problems = await this.#settled();
      return problems.length > 0 ? [this.#report(problems)] : [];
    } catch (error) {
      return [this.#report([`the scenario itself failed: ${error instanceof Error ? error.stack : String(error)}`])];
    } finally {
      this.#stopped = true;
      await Promise.all(this.#clients.map((client) => client.stop()));
    }
  }

  async #purge({ atMs, run }: { atMs: number; run: number }): Promise<void> {
    await sleep(atMs);
    const writer = this.writers[run]!;
    const below = await this.#world.store.purgeRun(writer.address, () => writer.purgeable);
    if (below > 0) this.say(`purged ${writer.plan.run} below ${below}`);
  }

  async #client(plan: ClientPlan, index: number): Promise<void> {
    await sleep(plan.startMs);
    if (this.#stopped) return;
    const line = new Line(this.#world.port);
    await line.open();
    const client = this.#make(plan, index, line);
    this.#clients.push(client);
    client.start();
    await Promise.all([
      ...plan.deeds.map(async ({ atMs, deed }) => {
        await sleep(atMs);
        if (this.#stopped) return;
        this.say(`${client.name}: ${JSON.stringify(deed)}`);
        client.act(deed);
      }),
      ...plan.line.map(async ({ atMs, fault }) => {
        await sleep(atMs);
        if (this.#stopped) return;
        this.say(`${client.name}: ${JSON.stringify(fault)}`);
        await disturb(line, fault);
      }),
    ]);
  }

  #make(plan: ClientPlan, index: number, line: Line): DeliveryClient {
    const { topics, first, kind } = plan;
    const common = {
      name: `client ${index} (${kind})`,
      line,
      recorder: new Recorder(this.#began),
      first,
      token: () => this.#world.token(plan.tokenSeconds),
    };
    if (kind === 'library') return new LibraryClient({ ...common, topics });
    if (kind === 'sse') return new SseClient({ ...common, run: topics[0]!.slice(4) });
    return new RawClient({ ...common, topics, random: randomOf(this.scenario.seed).fork(1000 + index) });
  }

  async #settled(): Promise<string[]> {
    const deadline = performance.now() + SETTLE_MS;
    const behind = () => this.#clients.filter((client) => !client.isCaughtUp(this.truth));
    while (behind().length > 0 && performance.now() < deadline) await sleep(50);
    const problems = behind().map((client) => `${client.name} is not caught up after ${SETTLE_MS} ms`);
    // Who has the last event may lack one before it, until the edge compares with the log.
    if (this.#lossy) await sleep(COMPARED_MS);
    for (const client of this.#clients) {
      const { entries } = client.recorder;
      const { problems: found, incomplete } = judge(entries, this.truth, { lossy: this.#lossy });
      this.incomplete.push(...incomplete.map((topic) => `${client.name} ${topic}`));
      const own = [
        ...client.complaints,
        ...found,
        ...problemsOfFold(entries, this.truth, { incomplete, lossy: this.#lossy }),
        ...(problems.length > 0 ? [] : this.#finalProblems(client, incomplete)),
      ];
      problems.push(...own.map((problem) => `${client.name}: ${problem}`));
    }
    return problems;
  }

  /** What a client believes in the end is what the log says. An app forgets runs that ended before its last snapshot. */
  #finalProblems(client: DeliveryClient, incomplete: readonly string[]): string[] {
    const problems: string[] = [];
    for (const topic of client.topics) {
      if (incomplete.includes(topic)) continue;
      for (const run of topic.startsWith('run/') ? [topic.slice(4)] : this.truth.runs) {
        const given = client.stateOf(topic, run);
        if (this.truth.isLost(run) || (given === undefined && topic.startsWith('app/'))) continue;
        // Who was told a run's end had it then, whatever became of the log.
        const ends = this.truth.endsOf(run).map((state) => differenceOf(given, state));
        if (!ends.includes(undefined)) problems.push(`${topic} in the end: ${ends.at(-1)}`);
      }
    }
    return problems;
  }

  #report(problems: readonly string[]): string {
    const { scenario } = this;
    const excerpts = this.#clients.flatMap((client) => {
      const own = problems.filter((problem) => problem.startsWith(client.name));
      if (own.length === 0) return [];
      const { entries } = client.recorder;
      const places = own.flatMap((problem) => /entry (\d+)/.exec(problem)?.[1] ?? []).slice(0, 2);
      const around = places.map((at) => `  ${client.name}, around entry ${at}:\n${excerptOf(entries, Number(at), 25)}`);
      return [...around, `  ${client.name}, its last entries:\n${excerptOf(entries, undefined, 25)}`];
    });
    return [
      `SEED=${scenario.seed} SCENARIOS=1 (with its wave: see test/delivery/README.md)`,
      ...problems.map((problem) => `  ${problem}`),
      `  scenario: ${JSON.stringify(scenario)}`,
      '  timeline:',
      ...this.#timeline,
      ...excerpts,
      '  what the edges said of it:',
      ...this.#world.edgesOn(scenario.app),
    ].join('\n');
  }
}

const withoutPurges = (scenario: Scenario): Scenario => ({
  ...scenario,
  purges: [],
  runs: scenario.runs.map((run) => ({ ...run, purgedAtEnd: false })),
});

async function disturb(line: Line, fault: LineFault): Promise<void> {
  const { weather } = line;
  switch (fault.kind) {
    case 'cut':
      weather.reset = fault.reset;
      weather.cutAfter = fault.afterBytes;
      return;
    case 'stall':
      weather.stalled = true;
      await sleep(fault.forMs);
      weather.stalled = false;
      break;
    case 'slow':
      weather.bytesPerSecond = fault.bytesPerSecond;
      await sleep(fault.forMs);
      weather.bytesPerSecond = undefined;
      break;
    case 'delay':
      weather.delayMs = fault.delayMs;
      await sleep(fault.forMs);
      weather.delayMs = 0;
  }
  line.refresh();
}

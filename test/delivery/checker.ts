import { isDeepStrictEqual } from 'node:util';
import { evolve } from '@toolstream/domain';
import {
  isRunEnded,
  partitionOfRun,
  type RunState,
  type ServerFrame,
  type ToolstreamEvent,
} from '@toolstream/proto-events';
import { covered, foreign, type Place, placeOf, seqIn } from './place.ts';
import { type Entry, topicOfFrame } from './record.ts';
import type { Truth } from './truth.ts';

type TopicFrame = Extract<ServerFrame, { type: 'snapshot' | 'event' | 'caught_up' | 'end' | 'error' }>;

/** One subscription that may be speaking: which one it is, and what the client has by it. */
interface Standing {
  /** Which of the connection's subscriptions to the topic, by its order. */
  readonly subscription: number;
  readonly asked: string | undefined;
  /** `undefined`: nothing came yet. */
  readonly at: string | undefined;
  readonly caughtUp: boolean;
  readonly over: boolean;
  /** The run's end was told by this very cursor: an app's `end` may follow. */
  readonly ended: string | undefined;
  /** When an event was passed that never came: a live message was lost, and the edge has yet to find out. */
  readonly holeSince: number | undefined;
}

/** An edge compares with the log every three seconds or so; a busy machine takes its time. */
const ANNOUNCED_WITHIN_MS = 10_000;

/** What a frame is judged against. */
interface Bench {
  readonly truth: Truth;
  readonly topic: string;
  /** When the frame came. */
  readonly ms: number;
  readonly lossy: boolean;
}

/**
 * Judges one client's record against the rules of the protocol and against what the log holds. It knows neither edge nor
 * client: only what was asked, what came, and what the writers were acknowledged.
 *
 * Frames of a subscription that was replaced may still be on their way when the next one is asked for, and a frame does not
 * say which one it belongs to. So all explanations that are possible so far are kept; a frame that none of them admits is a
 * violation.
 */
export function judge(entries: readonly Entry[], truth: Truth, { lossy = false } = {}): Verdict {
  const verdicts = [...topicsOf(entries)].map((topic) => judgeTopic(topic, entries, truth, lossy));
  return {
    problems: verdicts.flatMap(({ problems }) => problems),
    incomplete: verdicts.flatMap(({ incomplete }) => incomplete),
  };
}

export interface Verdict {
  readonly problems: string[];
  /**
   * Topics whose client left with a hole that its edge had not found yet, and was never given a snapshot since. Possible
   * only where live messages are lost without a trace (`lossy`).
   */
  readonly incomplete: string[];
}

const topicsOf = (entries: readonly Entry[]): Set<string> =>
  new Set(entries.flatMap((entry) => ('topic' in entry ? [entry.topic] : [])));

function judgeTopic(topic: string, entries: readonly Entry[], truth: Truth, lossy: boolean): Verdict {
  const wrong = (problem: string): Verdict => ({ problems: [`${topic}, ${problem}`], incomplete: [] });
  let asked: (string | undefined)[] = [];
  let standings: Standing[] = [];
  let furthest: Place = new Map();
  let hole = false;
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'opened') {
      asked = [];
      standings = [];
    } else if (entry.kind === 'subscribe' && entry.topic === topic) {
      asked.push(entry.cursor);
    } else if (entry.kind === 'frame' && topicOfFrame(entry.frame) === topic) {
      const frame = entry.frame as TopicFrame;
      if (frame.type === 'error' && frame.code === 'rate_limited') continue;
      const why: string[] = [];
      const bench = { truth, topic, ms: entry.ms, lossy };
      standings = successors(standings, asked, frame, bench, why);
      if (standings.length === 0) return wrong(`entry ${index} (${entry.ms} ms): ${[...new Set(why)].join('; ')}`);
      if (frame.type === 'snapshot' && frame.reason === 'cold') {
        const at = placeOf(frame.cursor)!;
        if (!foreign(at, furthest) && !covered(furthest, at))
          return wrong(`entry ${index}: a fresh snapshot at ${frame.cursor} is older than what the client has had`);
      }
      if ('cursor' in frame) furthest = placeOf(frame.cursor)!;
      const content = problemOfContent(frame, bench);
      // A feed carries its snapshots forward by what it relayed: one may have the hole in it that is found a moment later.
      const holed = lossy && content !== undefined && frame.type === 'snapshot';
      if (content && !holed) return wrong(`entry ${index} (${entry.ms} ms): ${content}`);
      if (frame.type === 'snapshot') hole = holed;
      else hole ||= standings.every(({ holeSince }) => holeSince !== undefined);
    }
  }
  return { problems: [], incomplete: hole ? [topic] : [] };
}

/** Every standing that explains the frame: the subscription goes on, or a later one has taken over and begins with it. */
function successors(
  standings: readonly Standing[],
  asked: readonly (string | undefined)[],
  frame: TopicFrame,
  bench: Bench,
  why: string[],
): Standing[] {
  const next: Standing[] = [];
  for (const standing of standings) {
    const after = follows(standing, frame, bench);
    if (typeof after === 'string') why.push(after);
    else next.push(after);
  }
  const latest = Math.min(...(standings.length === 0 ? [-1] : standings.map(({ subscription }) => subscription)));
  for (let subscription = latest + 1; subscription < asked.length; subscription++) {
    const begun = {
      subscription,
      asked: asked[subscription],
      at: undefined,
      caughtUp: false,
      over: false,
      ended: undefined,
      holeSince: undefined,
    };
    const after = follows(begun, frame, bench);
    if (typeof after === 'string') why.push(after);
    else next.push(after);
  }
  if (asked.length === 0) why.push('a frame of a topic that was not subscribed');
  return distinct(next);
}

function distinct(standings: readonly Standing[]): Standing[] {
  const seen = new Map(standings.map((standing) => [JSON.stringify(standing), standing]));
  return [...seen.values()];
}

function follows(standing: Standing, frame: TopicFrame, bench: Bench): Standing | string {
  const { topic } = bench;
  if (standing.over) return `${frame.type} after the subscription was over`;
  if (
    standing.holeSince !== undefined &&
    frame.type !== 'snapshot' &&
    bench.ms - standing.holeSince > ANNOUNCED_WITHIN_MS
  )
    return `the hole that was passed at ${standing.holeSince} ms was not announced`;
  switch (frame.type) {
    case 'error':
      return { ...standing, over: true };
    case 'snapshot':
      return followsSnapshot(standing, frame, bench);
    case 'event':
      return followsEvent(standing, frame, bench);
    case 'caught_up': {
      if (standing.caughtUp) return 'caught_up twice';
      const at = standing.at ?? beginning(standing.asked, frame.cursor);
      if (at !== frame.cursor) return `caught_up at ${frame.cursor}, but the client has ${at}`;
      return { ...standing, at, caughtUp: true };
    }
    case 'end': {
      const at = standing.at ?? beginning(standing.asked, frame.cursor);
      if (at !== frame.cursor) return `end at ${frame.cursor}, but the client has ${at}`;
      if (topic.startsWith('app/') && standing.ended !== frame.cursor) return 'an end that no event brought';
      if (topic.startsWith('run/') && standing.holeSince !== undefined) return 'the end of a run with a hole in it';
      if (topic.startsWith('run/') && !standing.caughtUp && standing.ended !== frame.cursor)
        return 'an end before caught_up';
      return { ...standing, at, over: topic.startsWith('run/'), ended: undefined };
    }
  }
}

/**
 * Where a subscription stands before its first frame, written as the frame writes cursors: a partition that was not named
 * is at its start. `undefined`: nowhere.
 */
function beginning(asked: string | undefined, like: string): string | undefined {
  if (asked === undefined) return undefined;
  const named = placeOf(asked)!;
  const parts = [...placeOf(like)!].map(([partition, { epoch }]) => {
    const { epoch: known = epoch, seq = 0 } = named.get(partition) ?? {};
    return `${known}.${partition}:${seq}`;
  });
  return parts.join(',');
}

function followsSnapshot(
  standing: Standing,
  frame: Extract<TopicFrame, { type: 'snapshot' }>,
  { truth, ms }: Bench,
): Standing | string {
  const { reason, cursor } = frame;
  const before = standing.at ?? standing.asked;
  const isFirst = standing.at === undefined;
  if (reason === 'cold' && !(isFirst && standing.asked === undefined)) return 'a cold snapshot that nobody asked for';
  if (before !== undefined && before !== 'start') {
    const [had, has] = [placeOf(before)!, placeOf(cursor)!];
    const isForeign = foreign(had, has) || (isFirst && !covered(had, has));
    // While a stream is made anew an edge may begin again in the one that is gone, and then once more.
    if (reason === 'epoch' && !isForeign && !truth.isOutdated(has, ms))
      return `a snapshot for another epoch from ${before} to ${cursor}`;
    if (reason !== 'epoch' && isForeign) return `a snapshot (${reason}) from ${before} to ${cursor}, another epoch`;
    if (reason !== 'epoch' && !covered(had, has)) return `a snapshot that goes back from ${before} to ${cursor}`;
  }
  return { ...standing, at: cursor, caughtUp: false, ended: undefined, holeSince: undefined };
}

function followsEvent(
  standing: Standing,
  frame: Extract<TopicFrame, { type: 'event' }>,
  { truth, topic, ms, lossy }: Bench,
): Standing | string {
  const before = standing.at ?? beginning(standing.asked, frame.cursor);
  if (before === undefined) return 'an event before the snapshot';
  if (frame.prev !== before) return `prev is ${frame.prev}, but the client has ${before}`;
  const [from, to] = [placeOf(frame.prev)!, placeOf(frame.cursor)!];
  if (foreign(from, to)) return `an event leads from ${frame.prev} into another epoch (${frame.cursor})`;
  if (!covered(from, to) || covered(to, from)) return `the cursor does not grow from ${frame.prev} to ${frame.cursor}`;
  const range = truth.between(topic, from, to);
  const said = frame.folded ?? 1;
  const hole = lossy && range.length > said;
  if (range.length !== said && !hole && !truth.isOutdated(to, ms))
    return `between ${frame.prev} and ${frame.cursor} lie ${range.length} events, not ${said}`;
  const ended =
    frame.event.type === 'run.succeeded.v1' ||
    frame.event.type === 'run.failed.v1' ||
    frame.event.type === 'run.cancelled.v1';
  const holeSince = standing.holeSince ?? (hole ? ms : undefined);
  return { ...standing, at: frame.cursor, ended: ended ? frame.cursor : undefined, holeSince };
}

/** What a frame says must be what the log holds at its cursor. */
function problemOfContent(frame: TopicFrame, { truth, topic, ms }: Bench): string | undefined {
  // An edge hears of a new incarnation within seconds; what it says until then is put right by a snapshot.
  if ('cursor' in frame && truth.isOutdated(placeOf(frame.cursor)!, ms)) return undefined;
  if (frame.type === 'event') {
    const at = placeOf(frame.cursor)!;
    const partition = partitionOfRun(frame.run)!;
    const position = at.get(partition);
    const stored = position && truth.events(frame.run, position.epoch).find(({ seq }) => seq === position.seq);
    if (!stored) return `no event of ${frame.run} is at ${frame.cursor}`;
    if (frame.folded === undefined && !isDeepStrictEqual(stored.event, frame.event))
      return `another event than the log's at ${frame.cursor}`;
    return undefined;
  }
  if (frame.type !== 'snapshot') return undefined;
  const at = placeOf(frame.cursor)!;
  if (topic.startsWith('run/'))
    return differenceOf(frame.state as unknown as RunState, truth.stateAt(topic.slice(4), at));
  const { runs } = frame.state as unknown as { runs: RunState[] };
  for (const run of truth.runs) {
    const expected = truth.stateAt(run, at);
    const given = runs.find((state) => state.run_id === run);
    if (expected === undefined || isRunEnded(expected.status)) {
      if (given) return `the snapshot lists ${run}, which does not live at ${frame.cursor}`;
      continue;
    }
    if (!given) return `the snapshot at ${frame.cursor} lacks ${run}, which lives`;
    const difference = differenceOf(given, expected);
    if (difference) return difference;
  }
  return undefined;
}

const SHOWN = 8;

/** Where two values differ, leaf by leaf: `path: given ≠ expected`. */
function differences(given: unknown, expected: unknown, path = ''): string[] {
  if (isDeepStrictEqual(given, expected)) return [];
  const isNode = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isNode(given) || !isNode(expected)) {
    const text = (value: unknown) => JSON.stringify(value)?.slice(0, 300);
    return [`${path}: ${text(given)} ≠ ${text(expected)}`];
  }
  const keys = [...new Set([...Object.keys(given), ...Object.keys(expected)])];
  return keys.flatMap((key) => differences(given[key], expected[key], path === '' ? key : `${path}.${key}`));
}

/** States are compared without the cursor that a snapshot adds. */
export function differenceOf(given: RunState | undefined, expected: RunState | undefined): string | undefined {
  const plain = (state: RunState | undefined) => {
    const { cursor: _cursor, ...rest } = JSON.parse(JSON.stringify(state ?? {})) as RunState & { cursor?: string };
    return rest as Record<string, unknown>;
  };
  const [a, b] = [plain(given), plain(expected)];
  if (isDeepStrictEqual(a, b)) return undefined;
  const shown = differences(a, b).slice(0, SHOWN);
  return `the state of ${expected?.run_id ?? given?.run_id} differs from the log's fold in ${shown.join(', ')}`;
}

/**
 * The frames alone, folded in the order in which they came, must give what the log gives at every `caught_up` and `end`.
 * Where live messages are lost, only the end of a run is proven.
 */
export function problemsOfFold(
  entries: readonly Entry[],
  truth: Truth,
  { incomplete = [], lossy = false }: { incomplete?: readonly string[]; lossy?: boolean } = {},
): string[] {
  const states = new Map<string, RunState>();
  for (const [index, entry] of entries.entries()) {
    if (entry.kind !== 'frame') continue;
    const { frame } = entry;
    const topic = topicOfFrame(frame);
    if (topic === undefined || !topic.startsWith('run/') || incomplete.includes(topic)) continue;
    if (frame.type === 'snapshot') states.set(topic, frame.state as unknown as RunState);
    else if (frame.type === 'event') {
      const seq = seqIn(placeOf(frame.cursor)!, partitionOfRun(frame.run)!);
      const before = states.get(topic);
      const state = evolve(before, { event: frame.event as unknown as ToolstreamEvent, seq });
      if (state) states.set(topic, state);
    } else if (frame.type === 'end' || (frame.type === 'caught_up' && !lossy)) {
      const known = states.get(topic);
      const place = placeOf(frame.cursor)!;
      if (truth.isOutdated(place, entry.ms)) continue;
      if (!known || known.seq !== seqIn(place, partitionOfRun(known.run_id)!)) continue;
      const difference = differenceOf(known, truth.stateAt(known.run_id, place));
      if (difference) return [`${topic}, entry ${index}: ${difference}`];
    }
  }
  return [];
}

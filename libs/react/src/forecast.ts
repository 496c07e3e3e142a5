import { activeSince, instant } from './time.ts';
import { hasToolEnded, type RunState, type ToolState } from './types.ts';

/**
 * Milliseconds until all calls are over, if all goes on as it has; `undefined` when a call that measures nothing has taken
 * longer than expected: then nobody can say. The run is under way, and waits for nobody.
 */
export function forecast(run: RunState, now: number): number | undefined {
  const expected = expectations(run.tools);
  const finish: (number | undefined)[] = run.tools.map(({ status }) => (hasToolEnded(status) ? 0 : undefined));
  const busy: number[] = [];
  for (const tool of run.tools) {
    if (tool.status !== 'running') continue;
    const left = leftOf(tool, expected(tool), elapsedOf(tool, run, now));
    if (left === undefined) return undefined;
    finish[tool.index] = left;
    busy.push(left);
  }
  // Calls that wait in the queue while others run show how many run at once.
  const places = busy.length > 0 && run.tools.some(({ status }) => status === 'queued') ? busy : undefined;
  for (let placed = true; placed; ) {
    placed = false;
    for (const tool of run.tools) {
      if (finish[tool.index] !== undefined) continue;
      const ready = readyAt(run, tool, finish);
      if (ready === undefined) continue;
      const earliest = Math.max(ready, tool.retry_at === undefined ? 0 : instant(tool.retry_at) - now);
      finish[tool.index] = places ? take(places, earliest, expected(tool)) : earliest + expected(tool);
      placed = true;
    }
  }
  return Math.max(0, ...finish.map((at) => at ?? 0));
}

/**
 * What a call is expected to take: its estimate, corrected by how long calls took against theirs in this run, the more the
 * more of them there were, and those of the same tool above all.
 */
function expectations(tools: readonly ToolState[]): (tool: ToolState) => number {
  const took = new Map<string, { calls: number; ms: number }>();
  let measured = 0;
  let estimated = 0;
  for (const tool of tools) {
    if (tool.status !== 'succeeded') continue;
    const ms = tool.metrics?.duration_ms ?? instant(tool.ended_at ?? '') - instant(tool.started_at ?? '');
    if (Number.isNaN(ms)) continue;
    const { calls, ms: sum } = took.get(tool.name) ?? { calls: 0, ms: 0 };
    took.set(tool.name, { calls: calls + 1, ms: sum + ms });
    measured += ms;
    estimated += tool.estimated_duration_ms;
  }
  const usual = tools.reduce((sum, tool) => sum + tool.estimated_duration_ms, 0) / tools.length;
  const pace = usual > 0 ? (usual + measured) / (usual + estimated) : 1;
  return ({ name, estimated_duration_ms }) => {
    const { calls, ms } = took.get(name) ?? { calls: 0, ms: 0 };
    return (estimated_duration_ms * pace + ms) / (1 + calls);
  };
}

/** A pause holds most calls: what the run was paused counts for none of them. */
function elapsedOf(tool: ToolState, run: RunState, now: number): number {
  if (tool.started_at === undefined) return 0;
  return Math.max(0, Math.min(now - instant(tool.started_at), activeSince(run, now)));
}

/** The rate it measures counts the more the further it is, and alone once it takes longer than expected. */
function leftOf({ measured = 0 }: ToolState, expected: number, elapsed: number): number | undefined {
  const early = Math.max(0, expected - elapsed);
  if (measured <= 0) return early > 0 ? early : undefined;
  const byRate = (elapsed * (100 - measured)) / measured;
  const trust = early > 0 ? Math.max(measured / 100, elapsed / expected) : 1;
  return trust * byRate + (1 - trust) * early;
}

/** When what it waits for is over; `undefined` while that is not known yet. */
function readyAt(run: RunState, tool: ToolState, finish: readonly (number | undefined)[]): number | undefined {
  if (run.ordering === 'parallel') return 0;
  const after = run.ordering === 'sequential' ? (tool.index === 0 ? [] : [tool.index - 1]) : tool.depends_on;
  let ready = 0;
  for (const index of after) {
    const at = finish[index];
    if (at === undefined) return undefined;
    ready = Math.max(ready, at);
  }
  return ready;
}

/** Runs a call on the place that is free first, and says when it is over. */
function take(places: number[], earliest: number, ms: number): number {
  let first = 0;
  for (const [index, free] of places.entries()) if (free < places[first]!) first = index;
  const over = Math.max(earliest, places[first]!) + ms;
  places[first] = over;
  return over;
}

import type { EventOf } from '@toolstream/proto-events';
import type { Entry } from './entry.ts';

/** Consecutive entries that one frame stands for. */
export interface Fold {
  /** What the frame says: the newest entry, after those whose text it carries as well. */
  readonly entries: readonly Entry[];
  /** All entries since the fold before, with the superseded ones between. */
  readonly count: number;
  /** About as many bytes as the frame will have. */
  readonly bytes: number;
}

/** A joined output event is no larger than this; about what one stored event may have. */
export const JOINED_BYTES = 256 * 1024;

/**
 * Makes fewer frames of what a client has missed. Left out is progress that later progress of the same attempt supersedes (a
 * percentage only by another one); joined is output of one attempt and channel that has nothing else between it. A stretch
 * of a run ends at each of its lifecycle events: those are neither folded nor passed by anything, so right after each of them
 * the folded state is exactly the state of the log.
 *
 * Between them it is safe to stop at every cursor: all output up to it has been sent and none after it, and what supersedes
 * the progress that was left out has a later cursor, which any continuation delivers.
 */
export function folds(entries: readonly Entry[]): Fold[] {
  const superseded = supersededIn(entries);
  const result: { entries: Entry[]; count: number; bytes: number }[] = [];
  let count = 0;
  for (const entry of entries) {
    count++;
    if (superseded.has(entry)) continue;
    const last = result.at(-1);
    if (last && joins(last.entries.at(-1)!, entry) && last.bytes + entry.bytes <= JOINED_BYTES) {
      last.entries.push(entry);
      last.count += count;
      last.bytes += entry.bytes;
    } else {
      result.push({ entries: [entry], count, bytes: entry.bytes });
    }
    count = 0;
  }
  return result;
}

export const bytesOf = (folded: readonly Fold[]): number => folded.reduce((sum, { bytes }) => sum + bytes, 0);

/** The newest envelope around the text of all. `undefined`: one entry, whose stored bytes do. */
export function joinedEvent({ entries }: Fold): Uint8Array | undefined {
  if (entries.length === 1) return undefined;
  const outputs = entries.map((entry) => entry.event() as EventOf<'tool.output.v1'>);
  const newest = outputs.at(-1)!;
  const text = outputs.map(({ data }) => data.text).join('');
  return Buffer.from(JSON.stringify({ ...newest, data: { ...newest.data, text } }));
}

function supersededIn(entries: readonly Entry[]): Set<Entry> {
  const superseded = new Set<Entry>();
  /** Per run and attempt: later progress, and whether any of it has a percentage. */
  const later = new Map<string, Map<string, boolean>>();
  for (const entry of entries.toReversed()) {
    const { volatile } = entry;
    if (!volatile) {
      later.delete(entry.run);
    } else if (volatile.kind === 'progress') {
      const ofRun = later.get(entry.run) ?? new Map<string, boolean>();
      later.set(entry.run, ofRun);
      const measured = ofRun.get(volatile.of);
      if (measured !== undefined && (measured || !volatile.measures)) superseded.add(entry);
      else ofRun.set(volatile.of, volatile.measures);
    }
  }
  return superseded;
}

function joins(before: Entry, entry: Entry): boolean {
  const [a, b] = [before.volatile, entry.volatile];
  return a?.kind === 'output' && b?.kind === 'output' && a.of === b.of && before.run === entry.run;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventTypes, type ToolstreamEvent } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { sayBar } from '../../src/views/timeline/model/say-bar.ts';
import type { Span } from '../../src/views/timeline/model/spans.ts';
import { sentenceOf, typeWord } from '../../src/views/timeline/model/words.ts';
import { RunLog } from './run-log.ts';

const FIXTURES = join(import.meta.dirname, '../../../../proto-events/fixtures');
const fixtures = readdirSync(FIXTURES).map(
  (name) => JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as ToolstreamEvent | ToolstreamEvent[],
);

describe('what an event says', () => {
  it('is one line of words for every type of the contract, and never just the type', () => {
    const events = fixtures.flat();
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(Object.keys(eventTypes)));
    for (const event of events) {
      const sentence = sentenceOf(event);
      expect(sentence).toMatch(/^\S/);
      expect(sentence).not.toContain('\n');
      expect(sentence).not.toContain('undefined');
      expect(sentence).not.toBe(typeWord(event.type));
      expect(sentence.length).toBeLessThanOrEqual(160);
    }
  });

  it('is the type where a newer service has one that is not known here', () => {
    expect(sentenceOf({ type: 'tool.danced.v2', data: {} } as unknown as ToolstreamEvent)).toBe('tool.danced');
  });

  it('is cut where it is long', () => {
    const { events } = new RunLog([{}])
      .queued(1, 0)
      .started(2, 0)
      .own(3, 0, 1, 'tool.output.v1', { channel: 'stdout', text: 'x'.repeat(40_000) });
    expect(sentenceOf(events.at(-1)!)).toHaveLength(160);
  });
});

describe('what a bar says', () => {
  const origin = Date.UTC(2026, 0, 1);
  const span: Span = { call: 2, kind: 'running', attempt: 2, dispatch: 2, from: origin + 1_200, first: 4 };

  it('is the call, what it does, the attempt, how long, from when to when, and how it ended', () => {
    const ended = { ...span, to: origin + 3_500, outcome: 'failed' as const };
    expect(sayBar(ended, 'os-write', origin, 0)).toMatch(
      /^Call 3, os-write: running, attempt 2, for 2\.3 s, from 1\.20 s \(\d\d:\d\d:\d\d\) to 3\.50 s: failed\.$/,
    );
  });

  it('is that it goes on where it does', () => {
    expect(sayBar({ ...span, kind: 'approval' }, 'x', origin, origin + 2_200)).toMatch(
      /waiting for approval, before attempt 2, for 1\.0 s, .* and goes on\.$/,
    );
  });

  it('stays the same while it goes on, for who hears every change', () => {
    expect(sayBar(span, 'x', origin)).toMatch(/^Call 3, x: running, attempt 2, from 1\.20 s \(.*\), and goes on\.$/);
    expect(sayBar({ ...span, to: origin + 2_000 }, 'x', origin)).toContain('for 800 ms');
  });
});

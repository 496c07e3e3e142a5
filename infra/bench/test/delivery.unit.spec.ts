import { describe, expect, it } from 'vitest';
import { summed } from '../src/crowds.ts';
import { sumIn } from '../src/edge-metrics.ts';
import { benchRun, lifecycle, stampedId, stampIn, working } from '../src/events.ts';
import { type CrowdReport, offsetIn, reportOf } from '../src/follower.ts';
import { cursorIn, exampleFrame, framesLike, prevIn } from '../src/frames.ts';
import { bareDoor, roomDoor } from '../src/socket.ts';
import { busiest } from '../src/windows.ts';

describe('the busiest window', () => {
  it('is found wherever it begins', () => {
    expect(busiest([0, 90, 110, 150, 189, 400], 100)).toBe(4);
    expect(busiest([5, 1, 3], 1)).toBe(1);
    expect(busiest([], 100)).toBe(0);
  });

  it('does not hold what comes exactly its length later', () => {
    expect(busiest([0, 100, 200], 100)).toBe(1);
  });
});

describe('a metric in the text of the metrics', () => {
  const text = [
    '# HELP reads_total Pages',
    '# TYPE reads_total counter',
    'reads_total{service="edge",a="}"} 3',
    'reads_total{a="y"} 4 1700000000',
    'reads_of_others_total 90',
    'waiting_bytes 1.5e+3',
  ].join('\n');

  it('is the sum over its labels', () => {
    expect(sumIn(text, 'reads')).toBe(7);
    expect(sumIn(text, 'waiting_bytes')).toBe(1_500);
    expect(sumIn(text, 'nothing')).toBeUndefined();
  });
});

describe('frames that nobody has sent yet', () => {
  const run = benchRun(1);
  const frames = framesLike(exampleFrame(lifecycle(run, 0, 0, stampedId(0, 0))));

  it('follow each other, in the bare form and in that of socket.io', () => {
    const [first, second] = [frames(), frames()];
    const bare = Buffer.from(bareDoor(1).event);
    expect(prevIn(second)).toBe(cursorIn(first, bare));
    expect(stampIn(second)).toBeGreaterThan(0);
    const room = Buffer.from(roomDoor(1, 'r').event);
    const packet = Buffer.from(`42${JSON.stringify(['event', JSON.parse(second.toString()), 'OFFSET-1'])}`);
    expect(cursorIn(packet, room)).toBe(cursorIn(second, bare));
    expect(prevIn(packet)).toBe(cursorIn(first, bare));
    expect(offsetIn(packet)).toBe('OFFSET-1');
  });

  it('are as large as asked for where they carry details', () => {
    const long = exampleFrame(working(run, 0, 5, stampedId(0, 0), 16_000));
    expect(long.length).toBeGreaterThan(16_000);
    expect(long.length).toBeLessThan(17_000);
  });
});

describe('the report on a crowd', () => {
  const report: CrowdReport = {
    ...reportOf([], {}),
    clients: 2,
    complete: 1,
    furthest: { a: 5, b: 9 },
    replays: [1],
  };

  it('is the sum of the reports of its processes', () => {
    const other = { ...report, furthest: { a: 7 }, replays: [2, 3] };
    expect(summed([report, other])).toMatchObject({
      clients: 4,
      complete: 2,
      furthest: { a: 7, b: 9 },
      replays: [1, 2, 3],
    });
  });
});

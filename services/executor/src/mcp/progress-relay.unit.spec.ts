import type { ProgressReport } from '@toolstream/tool-kit';
import { describe, expect, it } from 'vitest';
import { ProgressRelay } from './progress-relay.ts';

function relay() {
  const seen: ProgressReport[] = [];
  const progress = async (report: ProgressReport) => void seen.push(report);
  return { seen, relay: new ProgressRelay({ progress }) };
}

describe('Progress of an MCP server', () => {
  it('has a percentage only where the server gives a total', () => {
    const { seen, relay: given } = relay();
    given.report({ progress: 1, total: 4, message: 'reading' });
    given.report({ progress: 2 });
    given.report({ progress: 3, total: 0 });
    expect(seen).toEqual([
      { stage: 'running', message: 'reading', progress: 25, details: { progress: 1, total: 4 } },
      { stage: 'running', details: { progress: 2 } },
      { stage: 'running', details: { progress: 3 } },
    ]);
  });

  it('strictly increases, and ends with the call', () => {
    const { seen, relay: given } = relay();
    for (const progress of [1, 3, 2, 3, Number.NaN, 4]) given.report({ progress });
    given.close();
    given.report({ progress: 5 });
    expect(seen.map(({ details }) => details?.progress)).toEqual([1, 3, 4]);
  });
});

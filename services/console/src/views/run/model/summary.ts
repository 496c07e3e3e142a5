import type { RunState } from '@toolstream/proto-events';
import { count, duration } from '../../../format/index.ts';

export interface SummaryFigure {
  readonly key: string;
  readonly value: string;
  readonly label: string;
}

const forOne = (n: number, one: string, many: string): string => (n === 1 ? one : many);

/** What a run's end says of it, in the order of interest; ways to end that no call took are left out. */
export function summaryFigures({ summary }: Pick<RunState, 'summary'>): SummaryFigure[] {
  if (!summary) return [];
  const { total, successful, failed, cancelled, skipped, duration_ms, files_created, lines_written } = summary;
  const ends = (key: string, n: number): SummaryFigure[] => (n === 0 ? [] : [{ key, value: count(n), label: key }]);
  return [
    {
      key: 'successful',
      value: `${count(successful)} of ${count(total)}`,
      label: forOne(total, 'call succeeded', 'calls succeeded'),
    },
    ...ends('failed', failed),
    ...ends('cancelled', cancelled),
    ...ends('skipped', skipped),
    { key: 'duration', value: duration(duration_ms), label: 'from start to end' },
    { key: 'files', value: count(files_created), label: forOne(files_created, 'file created', 'files created') },
    { key: 'lines', value: count(lines_written), label: forOne(lines_written, 'line written', 'lines written') },
  ];
}

export const SUMMARY_TITLES: Readonly<Record<'succeeded' | 'failed' | 'cancelled', string>> = {
  succeeded: 'Everything done',
  failed: 'Ended, but not everything succeeded',
  cancelled: 'Cancelled',
};

import { isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';

/** The calls that this one comes after, as the run's order has it. */
export function comesAfter(run: Pick<RunState, 'ordering'>, tool: Pick<ToolState, 'index' | 'depends_on'>): number[] {
  switch (run.ordering) {
    case 'sequential':
      return tool.index === 0 ? [] : [tool.index - 1];
    case 'graph':
      return [...new Set(tool.depends_on)].sort((a, b) => a - b);
    case 'parallel':
      return [];
  }
}

/** Those of them that have not ended: what it waits for now. */
export const waitsFor = (run: RunState, tool: ToolState): number[] =>
  comesAfter(run, tool).filter((index) => !isToolEnded(run.tools[index]?.status ?? 'pending'));

/** The calls that come directly after this one. */
export const comeNext = (run: RunState, index: number): number[] =>
  run.tools.filter((tool) => comesAfter(run, tool).includes(index)).map((tool) => tool.index);

export const ORDER_WORDS: Readonly<Record<RunState['ordering'], string>> = {
  sequential: 'One after the other',
  parallel: 'All at once',
  graph: 'By what each call depends on',
};

/** People count from one; the interface counts from zero. */
export const callNumber = (index: number): string => `#${index + 1}`;

/** `#1`, `#1 and #2`, `#1, #2 and 3 more`. */
export function callNumbers(indexes: readonly number[]): string {
  const names = indexes.map(callNumber);
  if (names.length <= 3) return new Intl.ListFormat('en').format(names);
  return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}

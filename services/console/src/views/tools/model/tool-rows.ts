import type { Stats, ToolListing } from '@toolstream/client';
import type { Show, Sort, ToolsSearch } from '../search.ts';

export type ToolFigures = Stats['tools'][number];

/** One tool: what its executors announce, and what its calls did. */
export interface ToolRow {
  readonly name: string;
  /** One a pool; none for what was called but is not announced: withdrawn, or never there. */
  readonly definitions: readonly ToolListing[];
  readonly description: string;
  readonly pools: readonly string[];
  /** Absent when nothing of it ended in this time. */
  readonly figures?: ToolFigures;
}

export function toolRows(tools: readonly ToolListing[], figures: readonly ToolFigures[]): ToolRow[] {
  const ofName = new Map(figures.map((each) => [each.name, each]));
  const listed = [...Map.groupBy(tools, ({ name }) => name)].map(([name, definitions]): ToolRow => {
    const own = ofName.get(name);
    return {
      name,
      definitions,
      description: definitions[0]?.description ?? '',
      pools: [...new Set(definitions.map(({ pool }) => pool))],
      ...(own ? { figures: own } : {}),
    };
  });
  const names = new Set(listed.map(({ name }) => name));
  const gone = figures
    .filter(({ name }) => !names.has(name))
    .map((own): ToolRow => ({ name: own.name, definitions: [], description: '', pools: [], figures: own }));
  return [...listed, ...gone];
}

/** Every word of the search must be in the name, the description or a pool. */
export function chosenRows(
  rows: readonly ToolRow[],
  { q = '', pool, show = 'all', sort = 'name' }: Pick<ToolsSearch, 'q' | 'pool' | 'show' | 'sort'>,
): ToolRow[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return rows
    .filter((row) => {
      const haystack = `${row.name} ${row.description} ${row.pools.join(' ')}`.toLowerCase();
      return words.every((word) => haystack.includes(word));
    })
    .filter((row) => pool === undefined || row.pools.includes(pool))
    .filter((row) => SHOWN[show](row))
    .sort((a, b) => BY[sort](a, b) || byName(a, b));
}

const SHOWN: Readonly<Record<Show, (row: ToolRow) => boolean>> = {
  all: () => true,
  called: ({ figures }) => figures !== undefined,
  failing: ({ figures }) => (figures?.failed ?? 0) > 0,
  gone: ({ definitions }) => definitions.length === 0,
};

type Order = (a: ToolRow, b: ToolRow) => number;

const byName: Order = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** What was not measured comes last, whatever the direction. */
const descending =
  (of: (figures: ToolFigures) => number | null): Order =>
  (a, b) => {
    const [x, y] = [a, b].map(({ figures }) => (figures ? of(figures) : null)) as [number | null, number | null];
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    return y - x;
  };

const BY: Readonly<Record<Sort, Order>> = {
  name: () => 0,
  calls: descending(({ runs }) => runs),
  failures: descending(({ failed }) => failed),
  success: descending(({ success_rate }) => (success_rate === null ? null : -success_rate)),
  slow: descending(({ duration_p95_ms }) => duration_p95_ms),
  queue: descending(({ queue_p95_ms }) => queue_p95_ms),
};

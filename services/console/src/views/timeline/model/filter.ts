import type { Columns } from './columns.ts';
import { notAbove } from './sorted.ts';

/** Empty sets let everything through. */
export interface EventFilter {
  readonly types: ReadonlySet<string>;
  /** Indices of calls; `run` for the events of no call. */
  readonly calls: ReadonlySet<number | 'run'>;
}

export const NO_FILTER: EventFilter = { types: new Set(), calls: new Set() };
export const isFiltered = ({ types, calls }: EventFilter): boolean => types.size + calls.size > 0;

/** Indices of the events that pass, in the order of the log; events that come later are added to what was found. */
export class FilteredEvents {
  readonly #filter: EventFilter;
  readonly #columns: Columns;
  readonly #found: number[] = [];
  #seen = 0;

  constructor(filter: EventFilter, columns: Columns) {
    this.#filter = filter;
    this.#columns = columns;
  }

  update(): readonly number[] {
    const { types, calls } = this.#filter;
    const columns = this.#columns;
    for (; this.#seen < columns.length; this.#seen++) {
      const index = this.#seen;
      if (types.size > 0 && !types.has(columns.type(index))) continue;
      if (calls.size > 0 && !calls.has(columns.call(index) ?? 'run')) continue;
      this.#found.push(index);
    }
    return this.#found;
  }

  /** Where an event stands among those that pass; `undefined` if it does not. */
  rowOf(index: number): number | undefined {
    const row = notAbove(this.#found, index) - 1;
    return this.#found[row] === index ? row : undefined;
  }
}

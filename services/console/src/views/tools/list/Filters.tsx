import { useEffect, useState } from 'react';
import { type Option, Select, TextField } from '../../../ui/index.ts';
import { toolsRoute } from '../route.ts';
import { SHOWS, type Show, SORTS, type Sort, type ToolsSearch, toolsSearch } from '../search.ts';
import { WindowSelect } from '../WindowSelect.tsx';
import styles from './ToolList.module.css';

/** No pool is called this: a token has no asterisk. */
const EVERY_POOL = '*';

/** What of the tools is shown, over which time and in which order; all of it is in the address. */
export function Filters({ pools }: { readonly pools: readonly string[] }) {
  const search = toolsRoute.useSearch();
  const navigate = toolsRoute.useNavigate();
  const set = (change: Partial<Record<keyof ToolsSearch, string | undefined>>) =>
    void navigate({ search: (before) => toolsSearch({ ...before, ...change }), replace: true });
  const { q = '', pool = EVERY_POOL, show = 'all', sort = 'name' } = search;
  return (
    <search className={styles.filters} aria-label="Which tools">
      <div className={styles.search}>
        <SearchWords value={q} onChange={(words) => set({ q: words })} />
      </div>
      <WindowSelect />
      <Select<Show> label="Show" options={optionsOf(SHOWS)} value={show} onChange={(id) => set({ show: id })} />
      {pools.length > 1 && (
        <Select
          label="Pool"
          options={[{ id: EVERY_POOL, label: 'Every pool' }, ...pools.map((id) => ({ id, label: id }))]}
          value={pool}
          onChange={(id) => set({ pool: id === EVERY_POOL ? undefined : id })}
        />
      )}
      <Select<Sort> label="Sort by" options={optionsOf(SORTS)} value={sort} onChange={(id) => set({ sort: id })} />
    </search>
  );
}

/** What is typed is shown at once; the address follows. When somebody goes back, it leads. */
function SearchWords({ value, onChange }: { readonly value: string; readonly onChange: (words: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <TextField
      label="Search"
      type="search"
      placeholder="Name, description or pool"
      value={typed}
      onChange={(words) => {
        setTyped(words);
        onChange(words);
      }}
    />
  );
}

const optionsOf = <T extends string>(labels: Readonly<Record<T, string>>): Option<T>[] =>
  (Object.entries(labels) as [T, string][]).map(([id, label]) => ({ id, label }));

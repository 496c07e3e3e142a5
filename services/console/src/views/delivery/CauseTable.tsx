import { type FiguresColumn, FiguresTable } from '../../charts/index.ts';
import { count } from '../../format/index.ts';
import styles from './Delivery.module.css';
import type { Cause } from './model/causes.ts';

export function CauseTable({ label, causes }: { readonly label: string; readonly causes: readonly Cause[] }) {
  return <FiguresTable label={label} columns={COLUMNS} rows={causes} rowKey={({ id }) => id} />;
}

const COLUMNS: FiguresColumn<Cause>[] = [
  {
    id: 'name',
    header: 'What',
    cell: ({ name, meaning }) => (
      <>
        {name}
        <p className={styles.meaning}>{meaning}</p>
      </>
    ),
  },
  { id: 'count', header: 'How often', align: 'end', cell: (cause) => count(cause.count) },
];

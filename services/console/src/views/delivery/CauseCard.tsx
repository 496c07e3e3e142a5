import { type FiguresColumn, FiguresTable } from '../../charts/index.ts';
import { count } from '../../format/index.ts';
import { Card } from '../../ui/index.ts';
import styles from './Delivery.module.css';
import type { Cause } from './model/causes.ts';

interface CauseCardProps {
  readonly title: string;
  /** Of its table, where the title alone does not say what is counted. */
  readonly label?: string;
  readonly causes: readonly Cause[];
}

export function CauseCard({ title, label = title, causes }: CauseCardProps) {
  return (
    <Card title={title} flush>
      <FiguresTable label={label} columns={COLUMNS} rows={causes} rowKey={({ id }) => id} />
    </Card>
  );
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

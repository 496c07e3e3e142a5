import type { ReactNode } from 'react';
import { ScrollRegion } from '../ui/index.ts';
import styles from './FiguresTable.module.css';

export interface FiguresColumn<T> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: T) => ReactNode;
  readonly align?: 'start' | 'end';
}

export interface FiguresTableProps<T> {
  readonly label: string;
  /** The first one names the row. */
  readonly columns: readonly FiguresColumn<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  /** It scrolls by itself beyond some rows. */
  readonly tall?: boolean;
}

/** Figures to be read, not to be worked with: a plain table, which every screen reader walks through by itself. */
export function FiguresTable<T>({ label, columns, rows, rowKey, tall = false }: FiguresTableProps<T>) {
  return (
    <ScrollRegion label={label} landmark={false} className={`${styles.scroll} ${tall ? styles.tall : ''}`}>
      <table className={styles.table}>
        <caption className="visually-hidden">{label}</caption>
        <thead>
          <tr>
            {columns.map(({ id, header, align }) => (
              <th key={id} scope="col" className={align === 'end' ? styles.end : undefined}>
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map(({ id, cell, align }, at) =>
                at === 0 ? (
                  <th key={id} scope="row" className={align === 'end' ? styles.end : undefined}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={id} className={align === 'end' ? styles.end : undefined}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

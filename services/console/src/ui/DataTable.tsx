import type { ReactNode } from 'react';
import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import styles from './DataTable.module.css';

export interface DataColumn<T> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: T) => ReactNode;
  readonly align?: 'start' | 'end';
  /** The column that names the row. */
  readonly isRowHeader?: boolean;
  /** On narrow screens the row becomes a card; this part is left out there. */
  readonly wideOnly?: boolean;
  /** In such a card it has a line of its own. */
  readonly ownLine?: boolean;
  /** In such a card its header stands before it: for figures that say nothing alone. */
  readonly labelled?: boolean;
}

export interface DataTableProps<T> {
  readonly label: string;
  readonly columns: readonly DataColumn<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  /** Enter, or a click anywhere on the row. */
  readonly onOpen?: (row: T) => void;
  readonly empty?: ReactNode;
}

/** A table that is walked by the arrow keys. For up to some hundred rows; longer lists are virtual. */
export function DataTable<T>({ label, columns, rows, rowKey, onOpen, empty }: DataTableProps<T>) {
  const byKey = new Map(rows.map((row) => [rowKey(row), row]));
  return (
    <Table
      aria-label={label}
      className={styles.table ?? ''}
      {...(onOpen
        ? {
            onRowAction: (key) => {
              const row = byKey.get(String(key));
              if (row !== undefined) onOpen(row);
            },
          }
        : {})}
    >
      <TableHeader className={styles.head ?? ''}>
        {columns.map((column) => (
          <Column key={column.id} id={column.id} isRowHeader={column.isRowHeader ?? false} className={classOf(column)}>
            {column.header}
          </Column>
        ))}
      </TableHeader>
      <TableBody renderEmptyState={() => empty}>
        {rows.map((row) => (
          <Row key={rowKey(row)} id={rowKey(row)} className={`${styles.row} ${onOpen ? styles.opens : ''}`}>
            {columns.map((column) => (
              <Cell
                key={column.id}
                className={classOf(column)}
                {...(column.labelled ? { 'data-label': column.header } : {})}
              >
                {column.cell(row)}
              </Cell>
            ))}
          </Row>
        ))}
      </TableBody>
    </Table>
  );
}

const classOf = ({ align, wideOnly, ownLine }: Pick<DataColumn<never>, 'align' | 'wideOnly' | 'ownLine'>): string =>
  [styles.cell, align === 'end' && styles.end, wideOnly && styles.wideOnly, ownLine && styles.ownLine]
    .filter((name) => typeof name === 'string')
    .join(' ');

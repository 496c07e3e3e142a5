import type { DeliveryReport } from '@toolstream/proto-events';
import { type FiguresColumn, FiguresTable, orDash } from '../../charts/index.ts';
import { count } from '../../format/index.ts';
import { Card } from '../../ui/index.ts';

type Position = DeliveryReport['log'][number];

/** Where each partition of the log ends, and how far the tables have come. */
export function LogPositions({ report }: { readonly report: DeliveryReport }) {
  return (
    <Card title="The event log" flush>
      <FiguresTable
        label="The event log, by partition"
        columns={COLUMNS}
        rows={report.log}
        rowKey={({ partition }) => String(partition)}
      />
    </Card>
  );
}

const COLUMNS: FiguresColumn<Position>[] = [
  { id: 'partition', header: 'Partition', cell: ({ partition }) => partition },
  { id: 'last', header: 'Last event', align: 'end', cell: ({ last_seq }) => count(last_seq) },
  {
    id: 'projected',
    header: 'In the tables',
    align: 'end',
    cell: ({ projected_seq }) => orDash(projected_seq, count),
  },
  {
    id: 'behind',
    header: 'Behind by',
    align: 'end',
    cell: ({ last_seq, projected_seq }) => orDash(projected_seq, (seq) => count(last_seq - seq)),
  },
  { id: 'epoch', header: 'Incarnation', cell: ({ epoch }) => <code>{epoch}</code> },
];

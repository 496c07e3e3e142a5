import type { DeliveryReport } from '@toolstream/proto-events';
import { type FiguresColumn, FiguresTable, orDash } from '../../charts/index.ts';
import { bytes, count } from '../../format/index.ts';
import { Card, RelativeTime } from '../../ui/index.ts';
import { atMost, atMostText, samplesOf } from './model/histogram.ts';

type Edge = DeliveryReport['edges'][number];

/** Each edge by itself: whether one of them is worse than the others. */
export function Edges({ report }: { readonly report: DeliveryReport }) {
  const columns: FiguresColumn<Edge>[] = [
    { id: 'instance', header: 'Edge', cell: ({ instance }) => <code>{instance}</code> },
    { id: 'since', header: 'Started', cell: ({ started_at }) => <RelativeTime at={started_at} /> },
    { id: 'sockets', header: 'Sockets', align: 'end', cell: ({ now }) => count(now.sockets) },
    { id: 'streams', header: 'Streams', align: 'end', cell: ({ now }) => count(now.streams) },
    { id: 'subscriptions', header: 'Subscriptions', align: 'end', cell: ({ now }) => count(now.subscriptions) },
    { id: 'feeds', header: 'Watched', align: 'end', cell: ({ now }) => count(now.feeds) },
    { id: 'waiting', header: 'Waits for clients', align: 'end', cell: ({ now }) => bytes(now.waiting_bytes) },
    { id: 'events', header: 'Relayed', align: 'end', cell: ({ relayed }) => count(samplesOf(relayed)) },
    {
      id: 'p95',
      header: 'p95',
      align: 'end',
      cell: ({ relayed }) => orDash(atMost(relayed, report.lag_bounds_ms, 0.95), atMostText),
    },
  ];
  return (
    <Card title="Edges" flush>
      <FiguresTable
        label="Edges"
        columns={columns}
        rows={report.edges}
        rowKey={({ instance, started_at }) => `${instance} ${started_at}`}
      />
    </Card>
  );
}

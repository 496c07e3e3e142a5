import { useQuery } from '@tanstack/react-query';
import { useToolstream } from '@toolstream/react';
import { Figure, Figures, fineDuration, Live, type LiveState, orDash } from '../../charts/index.ts';
import { count, counted, duration } from '../../format/index.ts';
import { Card, EmptyState, ErrorNotice, Page } from '../../ui/index.ts';

/** For tokens without `admin`: what everybody who reads may know. */
export function Reader({ live, everyMs }: { readonly live: LiveState; readonly everyMs: number }) {
  const client = useToolstream();
  const { data, error, dataUpdatedAt, refetch } = useQuery({
    queryKey: ['stats', '1h'],
    queryFn: ({ signal }) => client.stats('1h', { signal }),
    refetchInterval: live.isLive && everyMs,
  });
  return (
    <Page
      title="Delivery"
      lead="How events get from the log to who watches."
      actions={<Live live={live} everyMs={everyMs} at={dataUpdatedAt} />}
    >
      {error !== null && (
        <ErrorNotice error={error} title="The figures could not be read" onRetry={() => void refetch()} />
      )}
      {data !== undefined && (
        <Figures label="Delivery at this edge">
          <Figure
            term="Stored to relayed, p50"
            value={orDash(data.delivery.p50_ms, fineDuration)}
            note={`half of this edge’s last ${count(data.delivery.samples)} events`}
          />
          <Figure
            term="Stored to relayed, p95"
            value={orDash(data.delivery.p95_ms, fineDuration)}
            note="95 % took no longer"
          />
          <Figure
            term="Lists and figures are behind by"
            value={orDash(data.projection.lag_ms, duration)}
            note={`${counted(data.projection.pending, 'event')} not in the tables yet`}
          />
        </Figures>
      )}
      <Card>
        <EmptyState title="The rest is for admins">
          Clients, reconnects, gaps and slow clients are counted for all tenants together. Sign in with a token that has
          the scope <code>admin</code> to see them.
        </EmptyState>
      </Card>
    </Page>
  );
}

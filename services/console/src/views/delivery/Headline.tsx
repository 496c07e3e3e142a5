import type { DeliveryReport } from '@toolstream/proto-events';
import { Figure, Figures, orDash } from '../../charts/index.ts';
import { count, counted, duration } from '../../format/index.ts';
import { atMost, atMostText, samplesOf } from './model/histogram.ts';

/** The figures that say at once whether delivery is well. */
export function Headline({ report }: { readonly report: DeliveryReport }) {
  const { total, edges, projection, lag_bounds_ms: bounds } = report;
  const now = (of: keyof (typeof edges)[number]['now']) => edges.reduce((sum, edge) => sum + edge.now[of], 0);
  const sockets = now('sockets');
  const streams = now('streams');
  return (
    <Figures label="Delivery in figures">
      <Figure
        term="Connected clients"
        value={count(sockets + streams)}
        note={`${counted(sockets, 'socket')}, ${counted(streams, 'stream')}; ${counted(now('subscriptions'), 'subscription')}`}
      />
      <Figure
        term="Stored to relayed, p95"
        value={orDash(atMost(total.relayed, bounds, 0.95), atMostText)}
        note={`of ${counted(samplesOf(total.relayed), 'event')}`}
      />
      <Figure term="Reconnects" value={count(total.joined.cursor)} note="subscriptions that came back with a cursor" />
      <Figure
        term="Gaps repaired"
        value={count(total.gaps.repaired)}
        note={`${count(total.gaps.snapshot)} announced by a snapshot`}
      />
      <Figure
        term="Slow clients"
        value={count(total.slow.fold)}
        note={`${count(total.slow.snapshot)} queues dropped, ${count(total.slow.close)} sent away`}
      />
      <Figure
        term="Projection is behind by"
        value={projection === undefined ? 'unknown' : orDash(projection.lag_ms, duration)}
        note={
          projection === undefined
            ? 'it does not answer'
            : `${counted(projection.pending, 'event')} not in the tables yet`
        }
      />
    </Figures>
  );
}

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useToolstream } from '@toolstream/react';
import { Live, type LiveState, useLive } from '../../charts/index.ts';
import { useIdentity } from '../../session/index.ts';
import { ErrorNotice, Page, Select } from '../../ui/index.ts';
import styles from './Delivery.module.css';
import { Reader } from './Reader.tsx';
import { Report } from './Report.tsx';
import { DEFAULT_DELIVERY_WINDOW, DELIVERY_WINDOWS, type DeliveryWindow, deliverySearch } from './search.ts';

const route = getRouteApi('/delivery');
const EVERY_MS = 3_000;

/** How events reach who watches: delays, returns, gaps, slow clients, of all edges together. */
export function DeliveryView() {
  const live = useLive();
  return useIdentity().can('admin') ? <ForAdmins live={live} /> : <Reader live={live} everyMs={EVERY_MS} />;
}

function ForAdmins({ live }: { readonly live: LiveState }) {
  const client = useToolstream();
  const { window = DEFAULT_DELIVERY_WINDOW } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery({
    queryKey: ['delivery', window],
    queryFn: ({ signal }) => client.delivery(window, { signal }),
    refetchInterval: live.isLive && EVERY_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <Page
      title="Delivery"
      lead="How events get from the log to who watches, at all edges and for all tenants together."
      actions={<Live live={live} everyMs={EVERY_MS} at={data === undefined ? 0 : Date.parse(data.at)} />}
    >
      {error !== null && (
        <ErrorNotice error={error} title="The figures could not be read" onRetry={() => void refetch()} />
      )}
      <div className={styles.window}>
        <Select<DeliveryWindow>
          label="Time"
          options={Object.entries(DELIVERY_WINDOWS).map(([id, label]) => ({ id: id as DeliveryWindow, label }))}
          value={window}
          onChange={(id) =>
            void navigate({ search: (before) => deliverySearch({ ...before, window: id }), replace: true })
          }
        />
      </div>
      {data !== undefined && <Report report={data} />}
    </Page>
  );
}

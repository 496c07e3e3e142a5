import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { count, counted } from '../../../format/index.ts';
import { Button, Card, EmptyState, ScrollRegion } from '../../../ui/index.ts';
import type { LogView, RunLog } from '../data/run-log.ts';
import { ExportButton } from '../ExportButton.tsx';
import { LogNotices } from '../LogNotices.tsx';
import { type EventFilter, FilteredEvents, isFiltered, NO_FILTER } from '../model/filter.ts';
import { Trouble } from '../moment/Trouble.tsx';
import { useMoment } from '../use-moment.ts';
import styles from './EventList.module.css';
import { EventRow } from './EventRow.tsx';
import { Filters } from './Filters.tsx';
import { reveal } from './reveal.ts';

export interface EventListProps {
  readonly id: string;
  readonly log: RunLog;
  readonly view: LogView;
}

/** What a row is likely high: on narrow pages it has two lines. */
const ROW = 40;
const NARROW_ROW = 58;
const NARROW = '(max-width: 900px)';
/** So near the end somebody reads along. */
const AT_END_PX = 60;

/** Only the rows in sight exist, however many events there are. */
export function EventList({ id, log, view }: EventListProps) {
  const { history } = view;
  const moment = useMoment(log, view);
  const [filter, setFilter] = useState<EventFilter>(NO_FILTER);
  const filtered = useMemo(() => new FilteredEvents(filter, history.columns), [filter, history]);
  const found = filtered.update();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(false);
  const rows = useVirtualizer({
    count: found.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (matchMedia(NARROW).matches ? NARROW_ROW : ROW),
    getItemKey: (row) => found[row] ?? row,
    overscan: 10,
    // A row that is shown to somebody has the one before it above it.
    scrollPaddingStart: ROW,
  });

  const items = rows.getVirtualItems();
  const names = history.head?.tools.map(({ name }) => name) ?? [];
  const toggle = (index: number) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(index)) after.add(index);
      return after;
    });

  // A link to an event opens it, once; what is opened or scrolled to later stays as it is.
  const linked = useRef<number | undefined>(undefined);
  const { index } = moment;
  useEffect(() => {
    if (index === undefined || linked.current === index) return;
    linked.current = index;
    setOpen((before) => new Set(before).add(index));
    const row = filtered.rowOf(index);
    const element = scroller.current;
    if (row === undefined || !element) return;
    reveal(
      element,
      () => element.querySelector(`[data-event="${index}"]`),
      () => rows.scrollToIndex(row, { align: 'start' }),
    );
  }, [index, filtered, rows]);

  useEffect(() => {
    if (following && found.length > 0) rows.scrollToIndex(found.length - 1, { align: 'end' });
  }, [following, found.length, rows]);

  return (
    <div className={styles.events} data-testid="events" data-events={history.length} data-status={view.status}>
      <LogNotices log={log} view={view} />
      <Trouble moment={moment} />
      <div className={styles.toolbar}>
        <Filters types={history.columns.types} names={names} filter={filter} onChange={setFilter} />
        <p className={styles.count} data-testid="events-count">
          {isFiltered(filter)
            ? `${count(found.length)} of ${counted(history.length, 'event')}`
            : counted(found.length, 'event')}
          {history.beyond > 0 ? `; ${count(history.beyond)} later ones are only in the export` : ''}
        </p>
        <div className={styles.actions}>
          {history.head?.ended_at === undefined && !following && (
            <Button size="s" onPress={() => setFollowing(true)}>
              Follow the newest
            </Button>
          )}
          <ExportButton id={id} />
        </div>
      </div>
      <Card flush>
        {found.length === 0 ? (
          <EmptyState
            title="No event passes these filters"
            action={<Button onPress={() => setFilter(NO_FILTER)}>Clear the filters</Button>}
          >
            Choose other types or calls.
          </EmptyState>
        ) : (
          <ScrollRegion
            ref={scroller}
            label="Events of the run"
            className={styles.scroll}
            onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
              if (following && scrollTop + clientHeight < scrollHeight - AT_END_PX) setFollowing(false);
            }}
          >
            <table className={styles.table} aria-rowcount={found.length + 1}>
              <caption className="visually-hidden">Events in the order of the log</caption>
              <thead className={styles.head}>
                <tr aria-rowindex={1} className={styles.row}>
                  <th scope="col">Event</th>
                  <th scope="col">After</th>
                  <th scope="col">Type</th>
                  <th scope="col">Call</th>
                  <th scope="col">What it says</th>
                </tr>
              </thead>
              <Spacer height={items[0]?.start ?? 0} />
              {items.map(({ key, index: row }) => {
                const event = found[row]!;
                return (
                  <tbody key={key} ref={rows.measureElement} data-index={row} className={styles.place}>
                    <EventRow
                      log={log}
                      history={history}
                      index={event}
                      row={row + 2}
                      name={names[history.columns.call(event) ?? -1]}
                      open={open.has(event)}
                      linked={event === index}
                      onToggle={toggle}
                    />
                  </tbody>
                );
              })}
              <Spacer height={rows.getTotalSize() - (items.at(-1)?.end ?? 0)} />
            </table>
          </ScrollRegion>
        )}
      </Card>
    </div>
  );
}

/** Stands for the rows that are not rendered. */
function Spacer({ height }: { readonly height: number }) {
  return (
    <tbody aria-hidden="true" className={styles.place}>
      <tr>
        <td className={styles.spacer} style={{ height }} />
      </tr>
    </tbody>
  );
}

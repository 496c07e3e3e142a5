import { useMemo, useState } from 'react';
import { count } from '../../format/index.ts';
import { Card } from '../../ui/index.ts';
import { Chart } from './chart/Chart.tsx';
import { Details } from './chart/Details.tsx';
import { Legend } from './chart/Legend.tsx';
import { Overview } from './chart/Overview.tsx';
import type { Picked } from './chart/pick.ts';
import { SpanTable } from './chart/SpanTable.tsx';
import { Toolbar } from './chart/Toolbar.tsx';
import type { LogView, RunLog } from './data/run-log.ts';
import { useRunLog } from './data/use-run-log.ts';
import { ExportButton } from './ExportButton.tsx';
import { LogNotices, NoEventsYet } from './LogNotices.tsx';
import { Banner } from './moment/Banner.tsx';
import { CallsThen } from './moment/CallsThen.tsx';
import { EventThen } from './moment/EventThen.tsx';
import { Scrubber } from './moment/Scrubber.tsx';
import { Trouble } from './moment/Trouble.tsx';
import { useShowIn } from './route.ts';
import styles from './TimelineTab.module.css';
import { useLiveNow } from './use-live-now.ts';
import { useMoment } from './use-moment.ts';
import { usePlayback } from './use-playback.ts';
import { useStateAt } from './use-state-at.ts';
import { useViewport } from './use-viewport.ts';

/** The run's events on a time axis, and the run as it was at any of them. */
export function TimelineTab({ id }: { readonly id: string }) {
  const { log, view } = useRunLog(id);
  if (view.history.length > 0) return <KnownTimeline id={id} log={log} view={view} />;
  return (
    <NoEventsYet log={log} view={view}>
      The timeline is drawn as soon as the first ones are here.
    </NoEventsYet>
  );
}

interface KnownProps {
  readonly id: string;
  readonly log: RunLog;
  readonly view: LogView;
}

function KnownTimeline({ id, log, view }: KnownProps) {
  const { history } = view;
  const { columns } = history;
  const showIn = useShowIn();
  const moment = useMoment(log, view);
  const { index } = moment;
  const { state, event } = useStateAt(log, view, index);
  const ended = history.head?.ended_at !== undefined;
  // Until all is read, the newest event that is known is not the present.
  const now = useLiveNow(!ended && view.status === 'live', history.spans.extent?.to ?? 0);
  const origin = columns.time(0);
  const extent = { from: history.spans.extent?.from ?? origin, to: ended ? (history.spans.extent?.to ?? origin) : now };
  const axis = useViewport(extent);
  const playback = usePlayback({ columns, index, ready: state !== undefined, go: moment.go, onEnd: moment.live });
  const [picked, setPicked] = useState<Picked>();
  const [hovered, setHovered] = useState<Picked>();
  const [table, setTable] = useState(false);

  const actions = useMemo(() => <ExportButton id={id} />, [id]);
  const names = history.head?.tools.map(({ name }) => name) ?? [];
  const time = index === undefined ? undefined : columns.time(index);
  const shown = hovered ?? picked;
  const go = (to: number) => {
    playback.stop();
    moment.go(to);
    axis.reveal(columns.time(to));
  };
  const cursor = index === undefined ? undefined : log.cursorAt(index);
  const call = index === undefined ? undefined : columns.call(index);

  return (
    <div className={styles.timeline} data-events={history.length} data-status={view.status} data-testid="timeline">
      <LogNotices log={log} view={view} />
      {history.beyond > 0 && (
        <p className={styles.notice}>
          This run is longer than the {count(history.length)} events that the timeline shows one by one;{' '}
          {count(history.beyond)} later ones are counted, are part of the present state, and are in the export.
        </p>
      )}
      <Trouble moment={moment} />
      <Banner history={history} moment={moment} ended={ended} />
      <Card flush>
        <div className={styles.panel}>
          <Toolbar axis={axis} table={table} onTable={setTable} actions={actions} />
          {table ? (
            <SpanTable calls={history.spans.calls} names={names} origin={origin} now={now} onIndex={go} />
          ) : (
            <>
              <Details
                span={shown && history.spans.calls[shown.call]?.[shown.place]}
                chosen={picked !== undefined && hovered === undefined}
                name={names[shown?.call ?? 0] ?? ''}
                origin={origin}
                now={now}
                onIndex={go}
              />
              <Chart
                history={history}
                names={names}
                axis={axis}
                now={now}
                origin={origin}
                moment={time}
                picked={picked}
                onPick={setPicked}
                onHover={setHovered}
                onTime={(wanted) => go(columns.atTime(wanted))}
                onIndex={go}
              />
              <Overview history={history} axis={axis} extent={extent} moment={time} />
              <Legend />
            </>
          )}
          <Scrubber history={history} moment={moment} playback={playback} />
        </div>
      </Card>
      <div className={styles.columns}>
        <CallsThen state={state} past={index !== undefined} />
        <EventThen
          event={event}
          cursor={cursor}
          name={call === undefined ? undefined : names[call]}
          onShowInEvents={() => showIn('events', cursor)}
        />
      </div>
    </div>
  );
}

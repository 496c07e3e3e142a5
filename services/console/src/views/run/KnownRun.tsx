import { useRunSelector } from '@toolstream/react';
import { lazy, Suspense } from 'react';
import { Page, StatusBadge, statusLook, type TabItem, Tabs } from '../../ui/index.ts';
import { CallsTab } from './calls/CallsTab.tsx';
import { Celebration } from './parts/Celebration.tsx';
import { Notices } from './parts/Notices.tsx';
import { RunActions } from './parts/RunActions.tsx';
import { RunFacts } from './parts/RunFacts.tsx';
import styles from './RunView.module.css';
import { useChangeSearch, useRunSearch } from './route.ts';
import { RUN_TABS, type RunTab } from './search.ts';
import { useWatching } from './use-watching.ts';

const TAB_WORDS: Readonly<Record<RunTab, string>> = {
  calls: 'Calls',
  timeline: 'Timeline',
  events: 'Events',
  files: 'Files',
};

export function KnownRun({ id }: { readonly id: string }) {
  const { tab = 'calls' } = useRunSearch();
  const change = useChangeSearch();
  const status = useRunSelector(id, ({ run }) => run?.status ?? 'accepted');
  const asking = useRunSelector(
    id,
    ({ run }) => run?.tools.some((tool) => tool.status === 'awaiting_approval') ?? false,
  );
  const app = useRunSelector(id, ({ run }) => run?.app ?? '');
  const celebrating = useWatching(id);
  const items: TabItem[] = RUN_TABS.map((name) => ({
    id: name,
    label: TAB_WORDS[name],
    content: (
      <Suspense fallback={<p role="status">Loading…</p>}>
        <TabContent id={id} tab={name} />
      </Suspense>
    ),
  }));
  return (
    <Page
      title={
        <span className={styles.title}>
          Run <code className={styles.shortId}>{shortId(id)}</code> <StatusBadge status={status} />
        </span>
      }
      documentTitle={`${asking ? 'Needs an answer' : statusLook[status].word}: run ${shortId(id)}`}
      breadcrumbs={[
        { label: 'Runs', to: '/' },
        { label: app, to: `/apps/${app}` },
      ]}
      lead={<RunFacts id={id} />}
      actions={<RunActions id={id} />}
    >
      <Notices id={id} />
      <Tabs
        label="What to look at"
        items={items}
        selected={tab}
        onSelect={(name) =>
          change(({ tab: _, ...rest }) => ({ ...rest, ...(name === 'calls' ? {} : { tab: name as RunTab }) }))
        }
      />
      {celebrating && <Celebration />}
    </Page>
  );
}

/** Each tab is loaded when it is first looked at. */
const TimelineTab = lazy(async () => ({ default: (await import('../timeline/index.ts')).TimelineTab }));
const EventsTab = lazy(async () => ({ default: (await import('../timeline/index.ts')).EventsTab }));
const FilesTab = lazy(async () => ({ default: (await import('./FilesTab.tsx')).FilesTab }));

function TabContent({ id, tab }: { readonly id: string; readonly tab: RunTab }) {
  switch (tab) {
    case 'calls':
      return <CallsTab id={id} />;
    case 'timeline':
      return <TimelineTab id={id} />;
    case 'events':
      return <EventsTab id={id} />;
    case 'files':
      return <FilesTab id={id} />;
  }
}

/** The end of an id is what tells runs apart; the beginning is the time. */
const shortId = (id: string): string => `…${id.slice(-8)}`;

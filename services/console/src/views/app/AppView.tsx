import { Link, useNavigate } from '@tanstack/react-router';
import { useRuns } from '@toolstream/react';
import { Plus } from 'lucide-react';
import { useCallback, useEffect } from 'react';
import { counted } from '../../format/index.ts';
import { announce, Card, ErrorNotice, Page } from '../../ui/index.ts';
import styles from './AppView.module.css';
import { FileBrowser } from './files/FileBrowser.tsx';
import { LiveCalls } from './live/LiveCalls.tsx';
import { RecentRuns } from './live/RecentRuns.tsx';
import { endsOf, liveCalls, liveRuns } from './model/live-calls.ts';
import { appRoute } from './route.ts';

/** `/apps/:app`: what its tools do now, its newest runs, and its files. */
export function AppView() {
  const { app } = appRoute.useParams();
  const { file } = appRoute.useSearch();
  const navigate = useNavigate();
  const { runs, more, error, status, caughtUp } = useRuns({ app });
  const live = liveRuns(runs);
  const calls = liveCalls(runs);
  const changes = endsOf(runs);
  const running = calls.filter(({ tool }) => tool.status === 'running').length;
  const words = `${counted(running, 'tool')} running in ${counted(live.length, 'live run')}`;
  useEffect(() => {
    if (caughtUp) announce(words, 'app');
  }, [words, caughtUp]);
  const show = useCallback(
    (path: string) => void navigate({ to: '/apps/$app', params: { app }, search: { file: path }, resetScroll: false }),
    [navigate, app],
  );
  return (
    <Page
      title={app}
      breadcrumbs={[{ label: 'Runs', to: '/' }]}
      lead={caughtUp ? `${words}${more ? ', and more that are not listed' : ''}.` : 'Looking at the live runs…'}
      actions={
        <Link to="/new" search={{ app }} className={styles.action}>
          <Plus aria-hidden />
          New run
        </Link>
      }
    >
      {status === 'failed' && error !== undefined && <ErrorNotice title="This app cannot be followed" error={error} />}
      <Card title="Live tools">
        <LiveCalls calls={calls} />
      </Card>
      <RecentRuns app={app} changes={changes} />
      <FileBrowser key={app} app={app} changes={changes} selected={file} onSelect={show} />
    </Page>
  );
}

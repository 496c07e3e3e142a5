import { useRun, useRunSelector } from '@toolstream/react';
import { Card, EmptyState, ErrorNotice, Page } from '../../ui/index.ts';
import { KnownRun } from './KnownRun.tsx';
import { useRunId } from './route.ts';

/** `/runs/:id`: whatever is known of the run; nothing here decides over it but what somebody presses. */
export function RunView() {
  const id = useRunId();
  const known = useRunSelector(id, ({ run }) => run !== undefined);
  return known ? <KnownRun key={id} id={id} /> : <UnknownRun key={id} id={id} />;
}

function UnknownRun({ id }: { readonly id: string }) {
  const { status, error, retry } = useRun(id);
  return (
    <Page title="Run" documentTitle="Run" breadcrumbs={[{ label: 'Runs', to: '/' }]} lead={<code>{id}</code>}>
      {status === 'failed' ? (
        <ErrorNotice title="This run cannot be followed" error={error} onRetry={retry} />
      ) : (
        <Card>
          <EmptyState title="Looking at the run…">
            {error === undefined
              ? 'Its state is on its way.'
              : 'The service cannot be reached just now; it is asked again.'}
          </EmptyState>
        </Card>
      )}
    </Page>
  );
}

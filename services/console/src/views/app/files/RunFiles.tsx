import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { FileChange } from '@toolstream/client';
import { hasToolEnded, type RunState, useToolstream } from '@toolstream/react';
import { FolderOpen } from 'lucide-react';
import { useMemo } from 'react';
import { bytes, counted } from '../../../format/index.ts';
import { EmptyState, ErrorNotice } from '../../../ui/index.ts';
import { filesOf, type RunFile, tally } from '../model/changes.ts';
import { endsOf } from '../model/live-calls.ts';
import { useAskedAgain } from '../use-asked-again.ts';
import { ChangeDiff } from './ChangeDiff.tsx';
import { ChangeItem } from './ChangeItem.tsx';
import styles from './Changes.module.css';
import { changeLook } from './changes-look.ts';

export interface RunFilesProps {
  readonly run: RunState;
  /** Of the headings of the files. */
  readonly level?: 2 | 3 | 4;
}

/** The files that a run created, changed, renamed and deleted, each with what became of its content. Asked anew when a call ends. */
export function RunFiles({ run, level = 3 }: RunFilesProps) {
  const client = useToolstream();
  useAskedAgain(['run-files', run.run_id], endsOf([run]));
  const { data, error, refetch } = useQuery({
    queryKey: ['run-files', run.run_id],
    queryFn: ({ signal }) => client.runFiles(run.run_id, { signal }),
  });
  const files = useMemo(() => data && filesOf(data.changes), [data]);
  if (error !== null)
    return <ErrorNotice title="What the run changed cannot be read" error={error} onRetry={() => void refetch()} />;
  if (files === undefined) return <p className={styles.facts}>Looking at the files…</p>;
  if (files.length === 0) return <NoFiles run={run} isOver={run.tools.every(({ status }) => hasToolEnded(status))} />;
  return (
    <div className={styles.stack}>
      <p className={styles.summary}>
        {tally(files).map(([change, number]) => (
          <span key={change}>
            {changeLook[change].word}: {number}
          </span>
        ))}
        <Link to="/apps/$app" params={{ app: run.app }}>
          All files of {run.app}
        </Link>
      </p>
      <div className={styles.list}>
        {files.map((file) => (
          <ChangedFile key={`${file.path} ${file.held_at}`} run={run} file={file} level={level} />
        ))}
      </div>
      {data?.more && <p className={styles.facts}>There are more changes than are listed here.</p>}
    </div>
  );
}

function NoFiles({ run, isOver }: { readonly run: RunState; readonly isOver: boolean }) {
  return (
    <EmptyState title={isOver ? 'This run changed no file' : 'No file was changed so far'} icon={<FolderOpen />}>
      {isOver
        ? 'Or the files were written many times since: a file tells of its last ten versions.'
        : 'Files appear here as the calls write them.'}{' '}
      <Link to="/apps/$app" params={{ app: run.app }}>
        All files of {run.app}
      </Link>
    </EmptyState>
  );
}

function ChangedFile({
  run,
  file,
  level,
}: {
  readonly run: RunState;
  readonly file: RunFile;
  readonly level: 2 | 3 | 4;
}) {
  const { path, change, moved_from, before, after, held_at, steps, shared } = file;
  return (
    <ChangeItem
      change={change}
      level={level}
      path={moved_from === undefined ? path : `${moved_from} → ${path}`}
      facts={[sizes(file), by(steps)].filter(Boolean).join(' · ')}
    >
      {shared && (
        <p className={styles.facts}>Another run changed this file in between: the comparison holds its changes too.</p>
      )}
      <ChangeDiff app={run.app} path={path} heldAt={held_at} change={change} before={before} after={after} />
      <ol className={styles.steps}>
        {steps.map((step) => (
          <li key={`${step.index} ${step.attempt} ${step.modified_at} ${step.change}`}>
            {changeLook[step.change].word} by call {step.index + 1}, {run.tools[step.index]?.name ?? 'unknown'}
            {step.attempt > 1 ? `, attempt ${step.attempt}` : ''}
          </li>
        ))}
      </ol>
      {change !== 'deleted' && change !== 'undone' && (
        <p className={styles.facts}>
          <Link to="/apps/$app" params={{ app: run.app }} search={{ file: held_at }}>
            The file as it is now
          </Link>
        </p>
      )}
    </ChangeItem>
  );
}

function sizes({ before, after }: RunFile): string {
  if (before === undefined || after === undefined) return after === undefined ? '' : bytes(after.size);
  return before.size === after.size ? bytes(after.size) : `${bytes(before.size)} → ${bytes(after.size)}`;
}

function by(steps: readonly FileChange[]): string {
  const calls = [...new Set(steps.map(({ index }) => index + 1))];
  return calls.length > 3 ? counted(calls.length, 'call') : `by call ${calls.join(', ')}`;
}

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { FileListing } from '@toolstream/client';
import { useToolstream } from '@toolstream/react';
import { bytes, fullTime } from '../../../format/index.ts';
import { ErrorNotice } from '../../../ui/index.ts';
import { ChangeDiff } from './ChangeDiff.tsx';
import { ChangeItem } from './ChangeItem.tsx';
import styles from './Changes.module.css';

/** Who wrote the file, newest first, each with what it changed. */
export function FileHistory({ app, file }: { readonly app: string; readonly file: FileListing }) {
  const client = useToolstream();
  const { data, error, refetch } = useQuery({
    queryKey: ['file-versions', app, file.path, file.sha256, file.modified_at],
    queryFn: ({ signal }) => client.fileVersions(app, file.path, { signal }),
  });
  if (error !== null)
    return <ErrorNotice title="The history cannot be read" error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <p className={styles.facts}>Reading the history…</p>;
  return (
    <div className={styles.list}>
      {data.versions.map((version, at) => {
        const { change, path, held_at, before, after, moved_from, run, index, modified_at } = version;
        return (
          <ChangeItem
            // biome-ignore lint/suspicious/noArrayIndexKey: a history is asked for anew when it grows.
            key={at}
            change={change}
            level={4}
            path={moved_from === undefined ? path : `${moved_from} → ${path}`}
            facts={[after === undefined ? '' : bytes(after.size), fullTime(modified_at)].filter(Boolean).join(' · ')}
          >
            <p className={styles.facts}>
              By call {index + 1} of run{' '}
              <Link to="/runs/$id" params={{ id: run }}>
                <code>{run}</code>
              </Link>
            </p>
            <ChangeDiff app={app} path={path} heldAt={held_at} change={change} before={before} after={after} />
          </ChangeItem>
        );
      })}
    </div>
  );
}

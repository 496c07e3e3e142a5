import { useQuery } from '@tanstack/react-query';
import type { ContentState } from '@toolstream/client';
import { useMemo } from 'react';
import { bytes, counted } from '../../../format/index.ts';
import { ErrorNotice } from '../../../ui/index.ts';
import { kindOf } from '../model/kind.ts';
import styles from './Content.module.css';
import { Content } from './Content.tsx';
import { Diff } from './Diff.tsx';
import { AT_ONCE_BYTES, type ContentAddress, useContent } from './use-content.ts';

export interface ChangeDiffProps {
  readonly app: string;
  readonly path: string;
  readonly heldAt: string;
  readonly change: string;
  readonly before?: ContentState | undefined;
  readonly after?: ContentState | undefined;
}

/** What a change did to a content: a comparison where both sides are there and text, else what is there, and why not more. */
export function ChangeDiff({ app, path, heldAt, change, before, after }: ChangeDiffProps) {
  const addressOf = (content: ContentState | undefined): ContentAddress | undefined =>
    content?.version === undefined ? undefined : { app, path: heldAt, ...content };
  const now = addressOf(after);
  if (change === 'deleted' || change === 'undone')
    return <p className={styles.quiet}>The file was deleted, and its contents with it.</p>;
  if (before !== undefined && before.sha256 === after?.sha256)
    return <p className={styles.quiet}>The content is the same as before.</p>;
  if (now === undefined)
    return <p className={styles.quiet}>This version is not kept any more: the file was written many times since.</p>;
  const old = addressOf(before);
  if (old !== undefined && old.size + now.size <= AT_ONCE_BYTES) return <Compared path={path} old={old} now={now} />;
  return (
    <>
      {change !== 'created' && <p className={styles.quiet}>{whyNotCompared(before)}</p>}
      <Content address={now} />
    </>
  );
}

function whyNotCompared(before: ContentState | undefined): string {
  if (before?.version !== undefined)
    return 'The contents are too large to be compared. This is the file after the change.';
  const size = before === undefined ? '' : ` (${bytes(before.size)})`;
  return `The content before the change${size} is not kept any more. This is the file after it.`;
}

interface ComparedProps {
  readonly path: string;
  readonly old: ContentAddress;
  readonly now: ContentAddress;
}

function Compared({ path, old, now }: ComparedProps) {
  const before = useKind(old);
  const after = useKind(now);
  const error = before.error ?? after.error;
  const texts =
    before.kind?.kind === 'text' && after.kind?.kind === 'text' ? [before.kind.text, after.kind.text] : undefined;
  const { data: comparison } = useQuery({
    queryKey: ['compared', old.sha256, now.sha256],
    queryFn: async () => (await import('../model/diff.ts')).compare(texts![0]!, texts![1]!) ?? null,
    enabled: texts !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error !== null) return <ErrorNotice title="The contents cannot be read" error={error} />;
  if (before.kind && after.kind && texts === undefined) return <Content address={now} />;
  if (comparison === undefined) return <p className={styles.quiet}>Comparing…</p>;
  if (comparison === null) {
    return (
      <>
        <p className={styles.quiet}>
          The contents differ in too much to be compared. This is the file after the change.
        </p>
        <Content address={now} />
      </>
    );
  }
  return (
    <>
      <p className={styles.quiet}>
        {counted(comparison.added, 'line')} added, {counted(comparison.removed, 'line')} removed
      </p>
      <Diff label={`Changes of ${path}`} comparison={comparison} />
    </>
  );
}

/** What the bytes are, looked at once for each content. */
function useKind(address: ContentAddress) {
  const { data, error } = useContent(address);
  const kind = useMemo(() => data && kindOf(data), [data]);
  return { kind, error };
}

import { Link } from '@tanstack/react-router';
import type { FileListing } from '@toolstream/client';
import { useState } from 'react';
import { bytes, counted } from '../../../format/index.ts';
import { RelativeTime, Tabs } from '../../../ui/index.ts';
import { Content, DownloadButton } from './Content.tsx';
import { FileHistory } from './FileHistory.tsx';
import styles from './FileViewer.module.css';
import { type ContentAddress, useContent } from './use-content.ts';

/** One file: what it is, who wrote it last, its content, and what it was before. */
export function FileViewer({ app, file }: { readonly app: string; readonly file: FileListing }) {
  const [tab, setTab] = useState('content');
  const { path, size, sha256, lines, run, index, modified_at } = file;
  const address: ContentAddress = { app, path, sha256, size };
  const { data } = useContent(address);
  return (
    <article className={styles.viewer} aria-label={path}>
      <header className={styles.header}>
        <h3 className={styles.path}>{path}</h3>
        {data !== undefined && <DownloadButton bytes={data} path={path} />}
      </header>
      <p className={styles.facts}>
        <span>{bytes(size)}</span>
        {lines !== undefined && <span>{counted(lines, 'line')}</span>}
        <span>
          Written <RelativeTime at={modified_at} /> by call {index + 1} of run{' '}
          <Link to="/runs/$id" params={{ id: run }}>
            <code>{run}</code>
          </Link>
        </span>
      </p>
      <Tabs
        label={`About ${path}`}
        selected={tab}
        onSelect={setTab}
        items={[
          { id: 'content', label: 'Content', content: <Content address={address} /> },
          { id: 'history', label: 'History', content: <FileHistory app={app} file={file} /> },
        ]}
      />
    </article>
  );
}

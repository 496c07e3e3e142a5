import { useQuery } from '@tanstack/react-query';
import { Download, FileDigit } from 'lucide-react';
import { useMemo, useState } from 'react';
import { bytes as bytesText } from '../../../format/index.ts';
import { Button, blobOf, download, EmptyState, ErrorNotice, useObjectUrl } from '../../../ui/index.ts';
import { kindOf, languageOf } from '../model/kind.ts';
import { plain } from '../model/lines.ts';
import { Code } from './Code.tsx';
import styles from './Content.module.css';
import { AT_ONCE_BYTES, type ContentAddress, useContent } from './use-content.ts';

/** A content as a person can look at it: text with its colours, a picture, or what it is and a way to have it. */
export function Content({ address }: { readonly address: ContentAddress }) {
  const [anySize, setAnySize] = useState(false);
  const { data, error, refetch } = useContent(address, { anySize });
  if (address.size > AT_ONCE_BYTES && !anySize) {
    return (
      <EmptyState
        title={`This file has ${bytesText(address.size)}`}
        action={<Button onPress={() => setAnySize(true)}>Load it</Button>}
      >
        It is not fetched until you ask for it.
      </EmptyState>
    );
  }
  if (error !== null)
    return <ErrorNotice title="The content cannot be read" error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <p className={styles.quiet}>Reading {address.path}…</p>;
  return <Shown bytes={data} address={address} />;
}

function Shown({ bytes, address }: { readonly bytes: Uint8Array; readonly address: ContentAddress }) {
  const { path, sha256 } = address;
  const kind = useMemo(() => kindOf(bytes), [bytes]);
  switch (kind.kind) {
    case 'text':
      return <Text text={kind.text} path={path} sha256={sha256} />;
    case 'image':
      return <Picture bytes={bytes} path={path} type={kind.type} />;
    case 'binary':
      return (
        <EmptyState title={kind.name} icon={<FileDigit />} action={<DownloadButton bytes={bytes} path={path} />}>
          {bytesText(bytes.length)}. It is no text and no picture, so there is nothing to show here.
        </EmptyState>
      );
  }
}

/** The highlighter is loaded when the first text is shown; until then, and where it fails, the text stands there plainly. */
function Text({ text, path, sha256 }: { readonly text: string; readonly path: string; readonly sha256: string }) {
  const language = languageOf(path);
  const { data: lines } = useQuery({
    queryKey: ['highlighted', language, sha256],
    queryFn: async () => (await import('../model/highlight.ts')).highlight(text, language),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  if (text === '') return <p className={styles.quiet}>The file is empty.</p>;
  return <Code label={`Content of ${path}`} lines={lines ?? plain(text)} />;
}

function Picture({ bytes, path, type }: { readonly bytes: Uint8Array; readonly path: string; readonly type: string }) {
  const url = useObjectUrl(bytes, type);
  const [size, setSize] = useState<string>();
  return (
    <figure className={styles.figure}>
      {url !== undefined && (
        <img
          src={url}
          alt={path}
          className={styles.picture}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setSize(`${naturalWidth} × ${naturalHeight} pixels`)
          }
        />
      )}
      <figcaption className={styles.quiet}>{[type, size].filter(Boolean).join(', ')}</figcaption>
    </figure>
  );
}

export function DownloadButton({ bytes, path }: { readonly bytes: Uint8Array; readonly path: string }) {
  // Whatever it holds, it is handed over as bytes: the browser opens none of it.
  const file = () => blobOf(bytes, 'application/octet-stream');
  return (
    <Button size="s" icon={<Download />} onPress={() => download(file(), path.slice(path.lastIndexOf('/') + 1))}>
      Download
    </Button>
  );
}

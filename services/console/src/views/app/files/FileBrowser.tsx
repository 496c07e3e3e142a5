import { FolderOpen } from 'lucide-react';
import { memo, useMemo, useState } from 'react';
import { bytes, counted } from '../../../format/index.ts';
import { Button, Card, EmptyState, ErrorNotice, TextField } from '../../../ui/index.ts';
import { matching, treeOf } from '../model/tree.ts';
import styles from './FileBrowser.module.css';
import { FileTree } from './FileTree.tsx';
import { FileViewer } from './FileViewer.tsx';
import { useFiles } from './use-files.ts';

/** Up to so many files, every folder is open. */
const FEW = 60;

export interface FileBrowserProps {
  readonly app: string;
  /** Another text whenever a call has ended: the files are asked for anew. */
  readonly changes: string;
  readonly selected: string | undefined;
  readonly onSelect: (path: string) => void;
}

/** The files of an app, and the one that is looked at. The page around it is rendered with every progress of a tool; this is not. */
export const FileBrowser = memo(function FileBrowser({ app, changes, selected, onSelect }: FileBrowserProps) {
  const { files, error, retry, more } = useFiles(app, changes);
  const [words, setWords] = useState('');
  const found = useMemo(() => matching(files ?? [], words), [files, words]);
  const nodes = useMemo(() => treeOf(found), [found]);
  const file = files?.find(({ path }) => path === selected);
  const total = files?.reduce((sum, { size }) => sum + size, 0) ?? 0;
  return (
    <Card
      title="Files"
      actions={files && <span className={styles.facts}>{factsOf(files.length, total, more !== undefined)}</span>}
    >
      {error !== null && <ErrorNotice title="The files cannot be listed" error={error} onRetry={retry} />}
      {files !== undefined && files.length === 0 && error === null && (
        <EmptyState title="No files yet" icon={<FolderOpen />}>
          What the tools of this app write appears here.
        </EmptyState>
      )}
      {files !== undefined && files.length > 0 && (
        <div className={styles.columns}>
          <div className={styles.list}>
            <TextField label="Find a file" value={words} onChange={setWords} placeholder="Part of the path" />
            {found.length === 0 ? (
              <p className={styles.facts}>No path contains this. {more && 'There are more files: load them first.'}</p>
            ) : (
              <FileTree
                nodes={nodes}
                selected={selected}
                onSelect={onSelect}
                allOpen={words.trim() !== '' || files.length <= FEW}
              />
            )}
            {more !== undefined && (
              <Button size="s" onPress={more}>
                Load more files
              </Button>
            )}
          </div>
          <div className={styles.file}>
            {file !== undefined ? (
              <FileViewer key={file.path} app={app} file={file} />
            ) : (
              <EmptyState
                title={selected === undefined ? 'Pick a file' : 'This file is not there (any more)'}
                icon={<FolderOpen />}
              >
                {selected === undefined ? 'Its content and its history are shown here.' : <code>{selected}</code>}
              </EmptyState>
            )}
          </div>
        </div>
      )}
    </Card>
  );
});

const factsOf = (files: number, size: number, isPart: boolean): string =>
  `${isPart ? 'the first ' : ''}${counted(files, 'file')}, ${bytes(size)}`;

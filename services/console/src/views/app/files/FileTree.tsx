import { ChevronRight, FileText, Folder } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { Button, type Key, Tree, TreeItem, TreeItemContent } from 'react-aria-components';
import { bytes, counted } from '../../../format/index.ts';
import { RelativeTime } from '../../../ui/index.ts';
import { foldersOf, type TreeNode } from '../model/tree.ts';
import styles from './FileTree.module.css';

export interface FileTreeProps {
  readonly nodes: readonly TreeNode[];
  readonly selected: string | undefined;
  readonly onSelect: (path: string) => void;
  /** Every folder is open: what is listed was searched for, or is little. */
  readonly allOpen: boolean;
}

/** Files in their folders. The arrow keys walk and open, Enter shows a file. */
export function FileTree({ nodes, selected, onSelect, allOpen }: FileTreeProps) {
  /** Folders that were opened or closed here; every other one is as `allOpen` says. */
  const [chosen, setChosen] = useState<ReadonlyMap<Key, boolean>>(new Map());
  useEffect(() => {
    // The file that the address names is to be seen.
    const around = selected === undefined ? [] : foldersOf(selected);
    setChosen((before) => new Map([...before, ...around.map((path) => [folderKey(path), true] as const)]));
  }, [selected]);
  const folders = useMemo(() => foldersIn(nodes), [nodes]);
  const isOpen = (key: Key) => chosen.get(key) ?? allOpen;
  const show = (key: Key | undefined) => {
    const path = pathOfFile(key);
    if (path !== undefined) onSelect(path);
  };
  return (
    <Tree
      aria-label="Files"
      className={styles.tree ?? ''}
      selectionMode="single"
      selectionBehavior="replace"
      selectedKeys={selected === undefined ? [] : [fileKey(selected)]}
      onSelectionChange={(keys) => show(keys === 'all' ? undefined : [...keys][0])}
      onAction={show}
      expandedKeys={folders.filter(isOpen)}
      onExpandedChange={(keys) => {
        const turned = folders.filter((key) => keys.has(key) !== isOpen(key));
        setChosen(new Map([...chosen, ...turned.map((key) => [key, keys.has(key)] as const)]));
      }}
    >
      {nodes.map((node) => branch(node))}
    </Tree>
  );
}

function branch(node: TreeNode) {
  const isFolder = node.kind === 'folder';
  return (
    <TreeItem
      key={node.path}
      id={isFolder ? folderKey(node.path) : fileKey(node.path)}
      textValue={node.name}
      className={styles.item ?? ''}
    >
      <TreeItemContent>
        {isFolder ? (
          <Button slot="chevron" className={styles.chevron ?? ''} aria-label={`Open or close ${node.name}`}>
            <ChevronRight aria-hidden />
          </Button>
        ) : (
          <span className={styles.noChevron} />
        )}
        {isFolder ? <Folder aria-hidden className={styles.icon} /> : <FileText aria-hidden className={styles.icon} />}
        <span className={styles.name}>{node.name}</span>
        {isFolder ? (
          <span className={styles.facts}>
            {counted(node.files, 'file')}, {bytes(node.size)}
          </span>
        ) : (
          <span className={styles.facts}>
            {bytes(node.file.size)}, <RelativeTime at={node.file.modified_at} />
          </span>
        )}
      </TreeItemContent>
      {isFolder && node.children.map((child) => branch(child))}
    </TreeItem>
  );
}

/** A file and a folder may have had one path at different times. */
const folderKey = (path: string): Key => `${path}/`;
const fileKey = (path: string): Key => path;
const pathOfFile = (key: Key | undefined): string | undefined =>
  key === undefined || String(key).endsWith('/') ? undefined : String(key);

const foldersIn = (nodes: readonly TreeNode[]): Key[] =>
  nodes.flatMap((node) => (node.kind === 'folder' ? [folderKey(node.path), ...foldersIn(node.children)] : []));

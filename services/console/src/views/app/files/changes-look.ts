import { FileMinus2, FilePen, FilePlus2, type LucideIcon, MoveRight, Undo2 } from 'lucide-react';
import type { RunFile } from '../model/changes.ts';

/** How a change looks: a word, an icon and a tone of `tokens.css`. */
export const changeLook: Readonly<
  Record<
    RunFile['change'],
    { readonly word: string; readonly Icon: LucideIcon; readonly tone: 'ok' | 'busy' | 'bad' | 'still' }
  >
> = {
  created: { word: 'Created', Icon: FilePlus2, tone: 'ok' },
  changed: { word: 'Changed', Icon: FilePen, tone: 'busy' },
  renamed: { word: 'Renamed', Icon: MoveRight, tone: 'busy' },
  deleted: { word: 'Deleted', Icon: FileMinus2, tone: 'bad' },
  undone: { word: 'Created and deleted', Icon: Undo2, tone: 'still' },
};

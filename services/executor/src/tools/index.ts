import type { Tool } from '@toolstream/tool-kit';
import { generateImage } from './generate-image.ts';
import { osDelete } from './os-delete.ts';
import { osLineReplace } from './os-line-replace.ts';
import { osList } from './os-list.ts';
import { osRead } from './os-read.ts';
import { osRename } from './os-rename.ts';
import { osSearch } from './os-search.ts';
import { osWrite } from './os-write.ts';
import { toolSettings } from './settings.ts';
import { shell } from './shell.ts';
import { webFetch } from './web-fetch.ts';
import { webSearch } from './web-search.ts';

/** The tools that every executor serves; `shell` only where the operator asks for it. */
export const tools: readonly Tool[] = [
  osWrite,
  osLineReplace,
  osRead,
  osList,
  osSearch,
  osRename,
  osDelete,
  webFetch,
  webSearch,
  generateImage,
  ...(toolSettings().TOOLSTREAM_SHELL ? [shell] : []),
];

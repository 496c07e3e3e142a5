import type { Tool } from '@toolstream/tool-kit';
import { osLineReplace } from './os-line-replace.ts';
import { osWrite } from './os-write.ts';

/** The tools that every executor serves. */
export const tools: readonly Tool[] = [osWrite, osLineReplace];

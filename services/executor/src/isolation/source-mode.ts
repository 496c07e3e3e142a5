import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const fromSource = import.meta.url.endsWith('.ts');

/** Node's arguments for threads and processes: those that let them load this same code, from source or built. */
export const childExecArgv: string[] = fromSource
  ? ['--conditions=toolstream', '--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
  : [];

/** A sibling module, in whichever form this one runs. */
export const siblingModule = (name: string): URL => new URL(`${name}${fromSource ? '.ts' : '.js'}`, import.meta.url);

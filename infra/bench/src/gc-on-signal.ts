import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Imported into a server whose memory is measured: on SIGUSR2 it gives back what it no longer uses. */
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;
process.on('SIGUSR2', () => {
  // Everything that can be had, and pages put together that are half empty: what is left is what is held.
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
});

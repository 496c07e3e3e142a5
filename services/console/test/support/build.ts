import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Vitest's set-up of tests that start the product: the console is what its sources are. */
export function setup(): void {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, '..', '..', 'build.ts')], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('The console could not be built; what is above says why.');
}

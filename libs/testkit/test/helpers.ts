import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that another user may pass through, as the servers under test run as one when the tests run as root. */
export function scratchFolder(): { path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'toolstream-test-')));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Another process starts a server, is killed, and leaves the server behind. */
export async function leaveServerBehind(kind: string, dataDir = '') {
  const script = join(import.meta.dirname, 'fixtures', 'serve-until-killed.ts');
  const owner = fork(script, [kind, dataDir], { execArgv: ['--conditions=toolstream', '--import', 'tsx'] });
  const [server] = (await once(owner, 'message')) as [{ pid: number; port: number; dataDir: string }];
  const gone = once(owner, 'exit');
  return {
    ...server,
    ownerPid: owner.pid!,
    killOwner: async () => {
      owner.kill('SIGKILL');
      await gone;
    },
  };
}

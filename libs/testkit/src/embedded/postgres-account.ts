import { createHash, randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { runQuietly } from './run-quietly.ts';

/** Whom Postgres runs as. Empty: as ourselves. */
export interface Account {
  uid?: number;
  gid?: number;
}

/**
 * Postgres refuses to run as root. Root therefore hands it to the owner of existing data, else to the system's `postgres`
 * user (made on the spot if need be), else to `nobody`.
 */
export async function postgresAccount(dataFolder: string): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  const owner = statSync(dataFolder, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return findUser('postgres') ?? (await makePostgresUser()) ?? findUser('nobody') ?? noUser();
}

async function makePostgresUser(): Promise<Account | undefined> {
  // Two starts at once: the second useradd fails because the first succeeded, and then finds the user.
  await runQuietly('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], {
    timeoutMs: 10_000,
  }).catch(() => undefined);
  return findUser('postgres');
}

function findUser(name: string): Account | undefined {
  if (!existsSync('/etc/passwd')) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

function noUser(): never {
  throw new Error(
    'postgres_needs_a_user: Postgres does not run as root and there is no other user to give it to. ' +
      'Create a user "postgres", start as another user, or set DATABASE_URL.',
  );
}

/**
 * The other user may be locked out of where we live (a checkout below /root). Then the data lies in a folder of its own under
 * /var/lib, named after the place it stands for, so that the next start finds it.
 */
export function reachableFolder(wanted: string, account: Account): string {
  mkdirSync(wanted, { recursive: true });
  const folder = realpathSync(wanted);
  if (canReach(folder, account)) return folder;
  const standIn = `/var/lib/toolstream/data-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
  mkdirSync(standIn, { recursive: true, mode: 0o755 });
  return standIn;
}

/** The same for the binaries: a copy that the other user can read, made once per version. */
export async function reachableBinaries(binaries: PostgresBinaries, account: Account): Promise<string> {
  const home = realpathSync(binaries.home);
  if (canReach(join(home, 'bin'), account)) return home;
  const copy = `/var/lib/toolstream/postgres-${binaries.version}`;
  if (!existsSync(join(copy, 'bin', 'postgres'))) {
    const draft = `${copy}.${randomUUID()}`;
    mkdirSync(dirname(copy), { recursive: true, mode: 0o755 });
    await runQuietly('cp', ['-RP', home, draft], { timeoutMs: 60_000 });
    try {
      renameSync(draft, copy);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      // Another process was first.
      if (!existsSync(join(copy, 'bin', 'postgres'))) throw error;
    }
  }
  return copy;
}

function canReach(folder: string, { uid, gid }: Account): boolean {
  if (uid === undefined) return true;
  for (let place = folder; ; place = dirname(place)) {
    const { mode, uid: owner, gid: group } = statSync(place);
    const search = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    if ((mode & search) === 0) return false;
    if (place === dirname(place)) return true;
  }
}

export function giveTo(path: string, { uid, gid }: Account): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

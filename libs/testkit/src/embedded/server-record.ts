import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcess, processFacts } from './processes.ts';

/** Kept beside a server's data: which process serves it, and which process started that one. */
interface ServerRecord {
  pid: number;
  owner: { pid: number; started: string };
}

const FILE = 'server.json';

export function writeServerRecord(dataDir: string, pid: number): void {
  const owner = { pid: process.pid, started: processFacts(process.pid)?.started ?? '' };
  const draft = join(dataDir, `${FILE}.${process.pid}`);
  writeFileSync(draft, JSON.stringify({ pid, owner } satisfies ServerRecord));
  renameSync(draft, join(dataDir, FILE));
}

export function removeServerRecord(dataDir: string): void {
  rmSync(join(dataDir, FILE), { force: true });
}

function readServerRecord(dataDir: string): ServerRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')) as ServerRecord;
  } catch {
    return undefined;
  }
}

/**
 * Ends the server that a killed owner left behind, so that two servers never share one data folder. The pid alone proves
 * nothing (it may be reused): the command line must name this folder. A server whose owner lives is in use, and that is an error.
 */
export async function endLeftover(
  dataDir: string,
  isServerOf: (command: string) => boolean,
  polite: NodeJS.Signals,
): Promise<void> {
  const record = readServerRecord(dataDir);
  const server = record && record.pid > 0 ? processFacts(record.pid) : undefined;
  if (record && server && isServerOf(server.command)) {
    // An orphan is given to another parent; as long as its owner is its parent, that owner is alive.
    if (server.parent === record.owner.pid) {
      throw new Error(
        `data_in_use: ${dataDir} is served by process ${server.pid}, started by process ${record.owner.pid}; ` +
          'stop that one or choose another data folder.',
      );
    }
    await endProcess(server.pid, [polite], 10_000);
  }
  removeServerRecord(dataDir);
}

/**
 * A folder for one short-lived server. Folders (and servers) of owners that were killed before they could clean up are
 * removed on the way in.
 */
export async function ephemeralFolder(kind: 'nats' | 'postgres', parent: string = tmpdir()): Promise<string> {
  await sweep(parent, kind);
  const folder = realpathSync(mkdtempSync(join(parent, `toolstream-${kind}-`)));
  // Postgres may run as another user, who must pass through; what is private below has its own mode.
  chmodSync(folder, 0o755);
  writeServerRecord(folder, 0);
  return folder;
}

async function sweep(parent: string, kind: string): Promise<void> {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(`toolstream-${kind}-`))) {
    const folder = join(parent, name);
    const record = readServerRecord(folder);
    if (!record || processFacts(record.owner.pid)?.started === record.owner.started) continue;
    try {
      const server = record.pid > 0 ? processFacts(record.pid) : undefined;
      if (server?.command.includes(`${folder}/`)) await endProcess(server.pid, [], 0);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // Another user's folder, or another process sweeps it right now.
    }
  }
}

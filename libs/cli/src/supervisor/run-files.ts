import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { endProcess, processFacts } from '@toolstream/testkit';

const LOG_LIMIT_BYTES = 10 << 20;

/** `<service>-<n>.pid`: the pid of the process itself. Appears whole, goes with its process. */
export class PidFile {
  readonly #path: string;

  constructor(runFolder: string, name: string) {
    this.#path = join(runFolder, `${name}.pid`);
  }

  write(pid: number): void {
    const draft = `${this.#path}.draft`;
    writeFileSync(draft, `${pid}\n`);
    renameSync(draft, this.#path);
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }
}

/**
 * Ends what a supervisor that was killed left running. The lock on the data folder is held, so whatever still works on it is
 * nobody's; the command line proves that a pid is not a stranger's by now.
 */
export async function endLeftovers(runFolder: string, dataDir: string): Promise<string[]> {
  const ended: string[] = [];
  const files = readdirSync(runFolder).filter((file) => file.endsWith('.pid'));
  await Promise.all(
    files.map(async (file) => {
      const path = join(runFolder, file);
      const facts = processFacts(Number(readFileSync(path, 'utf8')));
      if (facts && namesFolder(facts.command, dataDir)) {
        const name = basename(file, '.pid');
        // SIGINT is the fast shutdown of Postgres, which on SIGTERM would wait for its clients.
        await endProcess(facts.pid, [name.startsWith('postgres-') ? 'SIGINT' : 'SIGTERM'], 5_000);
        ended.push(name);
      }
      rmSync(path, { force: true });
    }),
  );
  return ended;
}

function namesFolder(command: string, folder: string): boolean {
  return [`${folder}/`, `${folder} `].some((part) => `${command} `.includes(part));
}

/** Keeps one old log beside the current one, and both bounded, as far as one start's output is. */
export function rotateLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(file, `${file}.old`);
}

/** The last lines of a log, without reading all of it. */
export function lastLines(file: string, count: number): string[] {
  const bytes = 16 << 10;
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(handle);
    const buffer = Buffer.alloc(Math.min(size, bytes));
    readSync(handle, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-count).filter(Boolean);
  } finally {
    closeSync(handle);
  }
}

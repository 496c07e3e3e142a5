import { join } from 'node:path';
import { startNats, startPostgres } from '@toolstream/testkit';
import { type DataFolder, keptPort } from './data-folder.ts';
import { PidFile, rotateLog } from './run-files.ts';
import type { Exit, Supervised } from './supervised.ts';

interface EmbeddedServer {
  readonly url: string;
  readonly pid: number | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill9(): Promise<void>;
  onUnexpectedExit(listener: (exit: Exit) => void): void;
}

type Begin = (hooks: { logFile: string; onSpawn(pid: number): void }) => Promise<EmbeddedServer>;

/** NATS and Postgres of our own, on the ports and the data of the last start. */
export class Embedded implements Supervised {
  readonly name: string;
  readonly logFile: string;
  readonly #begin: Begin;
  readonly #pidFile: PidFile;
  readonly #listeners: ((exit: Exit) => void)[] = [];
  #server: EmbeddedServer | undefined;
  #starting: Promise<void> | undefined;

  private constructor(folder: DataFolder, name: string, begin: Begin) {
    this.name = name;
    this.logFile = join(folder.log, `${name}.log`);
    this.#pidFile = new PidFile(folder.run, name);
    this.#begin = begin;
  }

  static nats(folder: DataFolder, port: number | undefined): Embedded {
    return new Embedded(folder, 'nats-1', async (hooks) =>
      startNats({
        dataDir: join(folder.path, 'nats'),
        port: port ?? (await keptPort(folder, 'nats')),
        detached: true,
        ...hooks,
      }),
    );
  }

  static postgres(folder: DataFolder, port: number | undefined): Embedded {
    return new Embedded(folder, 'postgres-1', async (hooks) =>
      startPostgres({
        dataDir: join(folder.path, 'postgres'),
        port: port ?? (await keptPort(folder, 'postgres')),
        detached: true,
        ...hooks,
      }),
    );
  }

  get pid(): number | undefined {
    return this.#server?.pid;
  }

  get url(): string {
    if (!this.#server) throw new Error(`${this.name} has not been started`);
    return this.#server.url;
  }

  onUnexpectedExit(listener: (exit: Exit) => void): void {
    this.#listeners.push(listener);
  }

  start(): Promise<void> {
    this.#starting = this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #start(): Promise<void> {
    rotateLog(this.logFile);
    if (this.#server) return this.#server.start();
    const server = await this.#begin({ logFile: this.logFile, onSpawn: (pid) => this.#pidFile.write(pid) });
    server.onUnexpectedExit((exit) => {
      this.#pidFile.remove();
      for (const listener of this.#listeners) listener(exit);
    });
    this.#server = server;
  }

  async stop(): Promise<void> {
    // The first start makes the server that is to be stopped.
    if (!this.#server) await this.#starting?.catch(() => undefined);
    await this.#server?.stop();
    this.#pidFile.remove();
  }

  async kill9(): Promise<void> {
    if (!this.#server) await this.#starting?.catch(() => undefined);
    await this.#server?.kill9();
    this.#pidFile.remove();
  }
}

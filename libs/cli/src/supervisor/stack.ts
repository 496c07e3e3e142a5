import { EventEmitter } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { assertPortsFree, type FileLock } from '@toolstream/testkit';
import {
  type DataFolder,
  defaultDataDir,
  keptSecret,
  lockDataFolder,
  openDataFolder,
  writePrivately,
} from './data-folder.ts';
import { Embedded } from './embedded.ts';
import { Keeper } from './keeper.ts';
import { endLeftovers, PidFile } from './run-files.ts';
import { ServiceProcess } from './service-process.ts';
import {
  consoleFolder,
  type ServiceSpec,
  type StackFacts,
  serviceEnvironment,
  toolstreamServices,
} from './services.ts';
import type { StackOptions } from './stack-options.ts';
import { chooseEdgePorts, portWishes } from './stack-ports.ts';
import type { Exit, Supervised } from './supervised.ts';

export interface StackEvents {
  exit: [{ name: string } & Exit];
  restart: [{ name: string; pid: number }];
}

/** The start was given up before it was complete; everything that had been started is stopped. */
export class StartAborted extends Error {
  readonly code = 'start_aborted';

  constructor() {
    super('start_aborted: stopped while it was starting');
    this.name = 'StartAborted';
  }
}

/** NATS, Postgres and all services as one tree of processes. Resolves when every one of them is ready. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const folder = openDataFolder(options.dataDir ?? defaultDataDir());
  const stack = new Stack(folder, lockDataFolder(folder), options);
  const { signal } = options;
  let giveUp: (() => void) | undefined;
  try {
    const givenUp = new Promise<never>((_, reject) => {
      giveUp = () => reject(new StartAborted());
      signal?.addEventListener('abort', giveUp, { once: true });
      if (signal?.aborted) giveUp();
    });
    await Promise.race([givenUp, stack.begin()]);
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  } finally {
    if (giveUp) signal?.removeEventListener('abort', giveUp);
  }
}

export class Stack extends EventEmitter<StackEvents> {
  readonly dataDir: string;
  /** True when neither NATS nor Postgres was given: then localhost is trusted and a secret is made. */
  readonly embedded: boolean;
  readonly jwtSecret: string | undefined;
  readonly #folder: DataFolder;
  readonly #lock: FileLock;
  readonly #options: StackOptions;
  readonly #servers = new Map<string, Keeper>();
  readonly #services = new Map<string, Keeper>();
  readonly #log: (line: string) => void;
  #edgePorts: number[] = [];
  #natsUrl = '';
  #databaseUrl = '';
  #stopped: Promise<void> | undefined;

  /** Use `startStack`. */
  constructor(folder: DataFolder, lock: FileLock, options: StackOptions) {
    super();
    this.dataDir = folder.path;
    this.#folder = folder;
    this.#lock = lock;
    this.#options = options;
    this.#log = options.log ?? ((line) => process.stderr.write(`${line}\n`));
    this.embedded = !options.natsUrl;
    const needsSecret = this.embedded && !this.#env.TOOLSTREAM_JWKS_URL;
    this.jwtSecret = options.jwtSecret ?? (needsSecret ? keptSecret(folder) : undefined);
  }

  get edgeUrls(): string[] {
    return this.#edgePorts.map((port) => `http://127.0.0.1:${port}`);
  }

  get natsUrl(): string {
    return this.#natsUrl;
  }

  get databaseUrl(): string {
    return this.#databaseUrl;
  }

  /** Everything that is supervised, servers first: `nats-1`, `postgres-1`, `orchestrator-1` … */
  get names(): string[] {
    return [...this.#servers.keys(), ...this.#services.keys()];
  }

  /** Undefined while it does not run. */
  pidOf(name: string): number | undefined {
    return this.#keeper(name).target.pid;
  }

  restartCount(name: string): number {
    return this.#keeper(name).restarts;
  }

  /** For callers that switched restarts off. */
  start(name: string): Promise<void> {
    return this.#keeper(name).start();
  }

  /** Services first, then what they depend on. Called again with `force`: nothing is waited for any longer. */
  async stop({ force = false }: { force?: boolean } = {}): Promise<void> {
    this.#stopped ??= this.#stop();
    if (force)
      await Promise.all([...this.#services.values(), ...this.#servers.values()].map((keeper) => keeper.kill9()));
    await this.#stopped;
  }

  async begin(): Promise<void> {
    const leftovers = await endLeftovers(this.#folder.run, this.dataDir);
    if (leftovers.length > 0) this.#log(`Ended what an earlier start left running: ${leftovers.sort().join(', ')}.`);
    this.#edgePorts = await chooseEdgePorts(this.#options);
    await assertPortsFree(portWishes(this.#options, this.#edgePorts));
    await this.#startServers();
    await this.#startServices();
    this.#describe();
  }

  async #startServers(): Promise<void> {
    const { natsUrl, natsPort, databaseUrl, postgresPort } = this.#options;
    const nats = natsUrl ? undefined : Embedded.nats(this.#folder, natsPort);
    const postgres = databaseUrl ? undefined : Embedded.postgres(this.#folder, postgresPort);
    const servers = [nats, postgres].filter((server) => server !== undefined);
    await Promise.all(servers.map((server) => this.#keep(this.#servers, server).start()));
    this.#natsUrl = natsUrl ?? nats?.url ?? '';
    this.#databaseUrl = databaseUrl ?? postgres?.url ?? '';
  }

  async #startServices(): Promise<void> {
    const { executors = 1, orchestrators = 1, services = toolstreamServices } = this.#options;
    const facts: StackFacts = {
      natsUrl: this.#natsUrl,
      databaseUrl: this.#databaseUrl,
      edgePorts: this.#edgePorts,
      executors,
      orchestrators,
      jwtSecret: this.jwtSecret,
      consoleDir: this.#env.TOOLSTREAM_CONSOLE_DIR ?? consoleFolder(),
      development: this.embedded,
    };
    const processes = services(facts).map((spec) => this.#serviceProcess(spec, facts));
    await Promise.all(processes.map((service) => this.#keep(this.#services, service).start()));
  }

  #serviceProcess(spec: ServiceSpec, facts: StackFacts): ServiceProcess {
    const { readyTimeoutMs = 90_000, graceMs = 22_000 } = this.#options;
    return new ServiceProcess({
      name: spec.name,
      script: spec.script,
      // Read by nobody but the next start, which proves with it that a process is ours.
      args: [`--data-dir=${this.dataDir}`],
      execArgv: spec.execArgv,
      env: serviceEnvironment(this.#env, facts, this.dataDir, spec),
      logFile: join(this.#folder.log, `${spec.name}.log`),
      pidFile: new PidFile(this.#folder.run, spec.name),
      readyTimeoutMs,
      graceMs,
    });
  }

  #keep(group: Map<string, Keeper>, target: Supervised): Keeper {
    if (this.#stopped !== undefined) throw new StartAborted();
    const keeper = new Keeper(target, {
      restart: this.#options.restart ?? true,
      onExit: (name, exit) => this.emit('exit', { name, ...exit }),
      onRestart: (name, pid) => this.emit('restart', { name, pid }),
      log: this.#log,
    });
    group.set(target.name, keeper);
    return keeper;
  }

  #keeper(name: string): Keeper {
    const keeper = this.#services.get(name) ?? this.#servers.get(name);
    if (!keeper) throw new Error(`unknown_process: there is no ${name}; there are ${this.names.join(', ')}`);
    return keeper;
  }

  /** Where the parts are, for other commands that want to talk to the stack of this data folder. */
  #describe(): void {
    const facts = { pid: process.pid, edges: this.edgeUrls, nats_url: this.natsUrl, database_url: this.databaseUrl };
    writePrivately(join(this.#folder.run, 'stack.json'), `${JSON.stringify(facts, null, 2)}\n`);
  }

  async #stop(): Promise<void> {
    rmSync(join(this.#folder.run, 'stack.json'), { force: true });
    try {
      await Promise.all([...this.#services.values()].map((keeper) => keeper.stop()));
      await Promise.all([...this.#servers.values()].map((keeper) => keeper.stop()));
    } finally {
      this.#lock.release();
    }
  }

  get #env(): NodeJS.ProcessEnv {
    return this.#options.env ?? process.env;
  }
}

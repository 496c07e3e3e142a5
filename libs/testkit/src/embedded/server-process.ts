import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { signal } from './processes.ts';
import { writeServerRecord } from './server-record.ts';

export interface ServerCommand {
  file: string;
  args: string[];
  uid?: number;
  gid?: number;
  env?: NodeJS.ProcessEnv;
}

export interface ServerProcessSpec {
  name: string;
  dataDir: string;
  logFile: string;
  command: ServerCommand;
  /** Removes what a crash left behind, so that the start cannot be blocked by it. */
  prepare(): Promise<void>;
  /** Asked every few milliseconds until it says yes. Must not be fooled by another server on the same port. */
  isReady(): Promise<boolean>;
  readyTimeoutMs: number;
  /** Tried in order, each with its grace time, before SIGKILL. */
  stopSignals: [NodeJS.Signals, number][];
  /** Out of the terminal's process group: Ctrl-C reaches the owner alone, who then stops things in order. */
  detached: boolean;
  /** Told the pid as soon as there is one, long before the server is ready. */
  onSpawn?: ((pid: number) => void) | undefined;
}

export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** One server that can be stopped, killed and started again on the same port and data. */
export class ServerProcess {
  readonly #spec: ServerProcessSpec;
  readonly #listeners: ((exit: ServerExit) => void)[] = [];
  #child: ChildProcess | undefined;
  #exited: Promise<ServerExit> | undefined;
  #expected = false;

  constructor(spec: ServerProcessSpec) {
    this.#spec = spec;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Called when a server that was ready ends and neither `stop` nor `kill9` asked for it. */
  onUnexpectedExit(listener: (exit: ServerExit) => void): void {
    this.#listeners.push(listener);
  }

  async start(): Promise<void> {
    if (this.#child) throw new Error(`${this.#spec.name} is running already (pid ${this.#child.pid})`);
    await this.#spec.prepare();
    const logStart = sizeOf(this.#spec.logFile);
    const { child, exited } = this.#spawn();
    const deadline = performance.now() + this.#spec.readyTimeoutMs;
    let ended: ServerExit | undefined;
    void exited.then((exit) => {
      ended = exit;
    });
    while (!(await this.#spec.isReady())) {
      if (ended) throw this.#startFailed(`ended with ${ended.signal ?? ended.code}`, logStart);
      if (performance.now() > deadline) {
        await this.kill9();
        throw this.#startFailed(`was not ready after ${this.#spec.readyTimeoutMs} ms`, logStart);
      }
      await sleep(15);
    }
    if (this.#child !== child) throw this.#startFailed('ended while it started', logStart);
    this.#expected = false;
  }

  /** Returns when the process is gone. Stopping what does not run is not an error. */
  async stop(): Promise<void> {
    const exited = this.#exited;
    if (!this.#child?.pid || !exited) return;
    const pid = this.#child.pid;
    this.#expected = true;
    for (const [name, graceMs] of this.#spec.stopSignals) {
      signal(pid, name);
      if (await settlesWithin(exited, graceMs)) return;
    }
    signal(pid, 'SIGKILL');
    await exited;
  }

  /** SIGKILL: no goodbye, no flush. Returns when the process is gone. */
  async kill9(): Promise<void> {
    const exited = this.#exited;
    if (!this.#child?.pid || !exited) return;
    this.#expected = true;
    signal(this.#child.pid, 'SIGKILL');
    await exited;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  #spawn(): { child: ChildProcess; exited: Promise<ServerExit> } {
    const { command, logFile, dataDir, detached, onSpawn } = this.#spec;
    // A file, not a pipe: the server must outlive its owner's crash without dying of a broken pipe in mid-write.
    const log = openSync(logFile, 'a');
    const { file, args, ...identity } = command;
    const child = spawn(file, args, { ...identity, cwd: dataDir, detached, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    this.#expected = true;
    const exited = new Promise<ServerExit>((resolve) => {
      child.once('error', () => resolve({ code: 127, signal: null }));
      child.once('exit', (code, killedBy) => resolve({ code, signal: killedBy }));
    }).then((exit) => {
      const unexpected = !this.#expected;
      this.#child = undefined;
      this.#exited = undefined;
      untrack(child);
      if (unexpected) for (const listener of this.#listeners) listener(exit);
      return exit;
    });
    this.#exited = exited;
    if (child.pid) {
      writeServerRecord(dataDir, child.pid);
      onSpawn?.(child.pid);
    }
    if (!detached) track(child);
    return { child, exited };
  }

  #startFailed(what: string, logStart: number): Error {
    const { name, logFile } = this.#spec;
    const log = readFileSync(logFile).subarray(logStart).toString().trim().split('\n').slice(-8);
    return new Error(`${name}_start_failed: ${name} ${what}. Last lines of ${logFile}:\n${log.join('\n')}`);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const cancel = new AbortController();
  const late = sleep(ms, false, { signal: cancel.signal }).catch(() => false);
  return Promise.race([promise.then(() => true), late]).finally(() => cancel.abort());
}

/** Servers in our own process group end with us, also when a test forgets them. */
const tracked = new Set<ChildProcess>();

function track(child: ChildProcess): void {
  if (tracked.size === 0) process.on('exit', killTracked);
  tracked.add(child);
}

function untrack(child: ChildProcess): void {
  tracked.delete(child);
  if (tracked.size === 0) process.off('exit', killTracked);
}

function killTracked(): void {
  for (const child of tracked) child.kill('SIGKILL');
}

import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, type PidFile, rotateLog } from './run-files.ts';
import { describeExit, type Exit, StartFailed, type Supervised } from './supervised.ts';

/** `EX_CONFIG`: the service says that its configuration cannot work. */
const EXIT_CONFIG = 78;

export interface ServiceProcessSpec {
  name: string;
  script: string;
  args: readonly string[];
  /** Node's own options, such as the loader in development. */
  execArgv: readonly string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  pidFile: PidFile;
  readyTimeoutMs: number;
  /** How long a stop may take before it is no longer a request. */
  graceMs: number;
}

/** One service as one Node process that tells over IPC when it is ready and ends by itself when we are gone. */
export class ServiceProcess implements Supervised {
  readonly name: string;
  readonly logFile: string;
  readonly #spec: ServiceProcessSpec;
  readonly #listeners: ((exit: Exit) => void)[] = [];
  #child: ChildProcess | undefined;
  #exited: Promise<Exit> | undefined;
  #expected = true;

  constructor(spec: ServiceProcessSpec) {
    this.name = spec.name;
    this.logFile = spec.logFile;
    this.#spec = spec;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  onUnexpectedExit(listener: (exit: Exit) => void): void {
    this.#listeners.push(listener);
  }

  async start(): Promise<void> {
    if (this.#child) throw new Error(`${this.name} is running already (pid ${this.#child.pid})`);
    const { child, exited } = this.#spawn();
    const cancel = new AbortController();
    const late = sleep(this.#spec.readyTimeoutMs, 'late' as const, { signal: cancel.signal });
    const outcome = await Promise.race([readyMessage(child), exited, late.catch(() => 'late' as const)]);
    cancel.abort();
    if (outcome === 'ready') {
      this.#expected = false;
      return;
    }
    if (outcome === 'late') {
      await this.kill9();
      throw this.#startFailed(`was not ready after ${this.#spec.readyTimeoutMs} ms`, false);
    }
    throw this.#startFailed(`${describeExit(outcome)} before it was ready`, outcome.code === EXIT_CONFIG);
  }

  async stop(): Promise<void> {
    const exited = this.#end('SIGTERM');
    if (!exited) return;
    const cancel = new AbortController();
    const late = sleep(this.#spec.graceMs, 'late' as const, { signal: cancel.signal }).catch(() => 'late' as const);
    const outcome = await Promise.race([exited, late]);
    cancel.abort();
    if (outcome === 'late') await this.kill9();
  }

  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  #end(signal: NodeJS.Signals): Promise<Exit> | undefined {
    this.#expected = true;
    this.#child?.kill(signal);
    return this.#exited;
  }

  #spawn(): { child: ChildProcess; exited: Promise<Exit> } {
    const { script, args, execArgv, env, logFile, pidFile } = this.#spec;
    rotateLog(logFile);
    const log = openSync(logFile, 'a');
    const child = fork(script, args, {
      execArgv: [...execArgv],
      env,
      stdio: ['ignore', log, log, 'ipc'],
      // A group of its own: Ctrl-C reaches us alone, and what the service started can be ended with it.
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    this.#expected = true;
    if (child.pid) pidFile.write(child.pid);
    const exited = new Promise<Exit>((resolve) => {
      child.on('error', () => {
        if (!child.pid) resolve({ code: 127, signal: null });
      });
      child.once('exit', (code, signal) => resolve({ code, signal }));
    }).then((exit) => {
      pidFile.remove();
      if (child.pid) endGroup(child.pid);
      const unexpected = !this.#expected;
      this.#child = undefined;
      this.#exited = undefined;
      if (unexpected) for (const listener of this.#listeners) listener(exit);
      return exit;
    });
    this.#exited = exited;
    return { child, exited };
  }

  #startFailed(what: string, permanent: boolean): StartFailed {
    const lines = lastLines(this.logFile, 12).map((line) => `  ${line}`);
    return new StartFailed(`${this.name} ${what}. Last lines of ${this.logFile}:\n${lines.join('\n')}`, permanent);
  }
}

function readyMessage(child: ChildProcess): Promise<'ready'> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready')
        resolve('ready');
    });
  });
}

/** A service that was killed could not end its own children. */
function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody left in the group.
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '@toolstream/testkit';
import { type NatsLink, openNatsLink } from './nats-link.ts';
import { sleep } from './random.ts';

/** Short times, so that a scenario of seconds meets what a day of production meets. */
const SETTINGS = {
  TOOLSTREAM_DEV: '1',
  TOOLSTREAM_HEARTBEAT_MS: '1000',
  TOOLSTREAM_HELLO_TIMEOUT_MS: '5000',
  TOOLSTREAM_TOKEN_GRACE_MS: '300',
  TOOLSTREAM_CLIENT_BUFFER_BYTES: '16384',
  TOOLSTREAM_SLOW_CLIENT_MS: '3000',
  TOOLSTREAM_DRAIN_MS: '500',
};
const START_MS = 60_000;

/** An edge as a process of its own, with a way to NATS that can be cut. */
export class EdgeProcess {
  readonly link: NatsLink;
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  static async start(natsPort: number, logFile: string, env: Record<string, string>): Promise<EdgeProcess> {
    const link = await openNatsLink(natsPort);
    const log = openSync(logFile, 'a');
    const root = projectRoot() ?? process.cwd();
    const child = spawn(
      process.execPath,
      ['--conditions=toolstream', '--import', 'tsx', join(root, 'services/edge/src/main.ts')],
      {
        cwd: root,
        env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', NATS_URL: link.url, PORT: '0', ...SETTINGS, ...env },
        stdio: ['ignore', log, log, 'ipc'],
      },
    );
    closeSync(log);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const ready = new Promise<number>((resolve) =>
      child.on('message', (message) => {
        const { type, port } = message as { type?: string; port?: number };
        if (type === 'ready' && port !== undefined) resolve(port);
      }),
    );
    const port = await Promise.race([ready, exited.then(() => undefined), sleep(START_MS).then(() => undefined)]);
    if (port === undefined) {
      child.kill('SIGKILL');
      await link.close();
      throw new Error(`an edge did not start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    }
    return new EdgeProcess(link, port, child, exited);
  }

  private constructor(link: NatsLink, port: number, child: ChildProcess, exited: Promise<void>) {
    this.link = link;
    this.port = port;
    this.#child = child;
    this.#exited = exited;
  }

  /** No goodbye, nothing flushed. */
  async kill9(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    await this.link.close();
  }

  /** SIGTERM: its clients are sent away, then it ends. */
  async drain(): Promise<void> {
    this.#child.kill('SIGTERM');
    await Promise.race([this.#exited, sleep(15_000)]);
    this.#child.kill('SIGKILL');
    await this.#exited;
    await this.link.close();
  }
}

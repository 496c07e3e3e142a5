import { setTimeout as sleep } from 'node:timers/promises';
import type { Cleanup } from './cleanup.ts';
import type { CrowdReport, Place } from './follower.ts';
import { Peer } from './peer.ts';

/** Clients that keep their place, spread over processes of their own. */
export class Crowds {
  readonly #peers: readonly Peer[];

  constructor(cleanup: Cleanup, processes: number) {
    this.#peers = Array.from({ length: processes }, () => cleanup.add(new Peer('crowd'), (peer) => peer.stop()));
  }

  async connect(places: readonly Place[]): Promise<void> {
    const share = Math.ceil(places.length / this.#peers.length);
    await this.#all('connect', (at) => ({ places: places.slice(at * share, (at + 1) * share) }));
  }

  /** Everybody at once, without a word. */
  async drop(): Promise<void> {
    await this.#all('drop');
  }

  /** Everybody at once; resolves when all are caught up. */
  async comeBack(): Promise<void> {
    await this.#all('comeBack');
  }

  async moveTo(url: string): Promise<void> {
    await this.#all('moveTo', () => ({ url }));
  }

  async leave(): Promise<void> {
    await this.#all('leave');
  }

  async read(expected: Readonly<Record<string, number>> = {}): Promise<CrowdReport> {
    return summed(await this.#all<CrowdReport>('read', () => ({ expected })));
  }

  /** Reads until everybody has everything, or until the time is over. */
  async complete(expected: Readonly<Record<string, number>>, withinMs: number): Promise<CrowdReport> {
    for (const until = performance.now() + withinMs; ; ) {
      const report = await this.read(expected);
      if (report.complete === report.clients || performance.now() > until) return report;
      await sleep(100);
    }
  }

  #all<T>(method: string, parameters: (at: number) => unknown = () => ({})): Promise<T[]> {
    return Promise.all(this.#peers.map((peer, at) => peer.call<T>(method, parameters(at))));
  }
}

export function summed(reports: readonly CrowdReport[]): CrowdReport {
  const sum = (of: 'clients' | 'live' | 'complete' | 'frames' | 'snapshots' | 'breaks') =>
    reports.reduce((total, report) => total + report[of], 0);
  const furthest: Record<string, number> = {};
  for (const report of reports) {
    for (const [run, seq] of Object.entries(report.furthest)) furthest[run] = Math.max(furthest[run] ?? 0, seq);
  }
  return {
    clients: sum('clients'),
    live: sum('live'),
    complete: sum('complete'),
    frames: sum('frames'),
    snapshots: sum('snapshots'),
    breaks: sum('breaks'),
    furthest,
    replays: reports.flatMap(({ replays }) => replays),
    returns: reports.flatMap(({ returns }) => returns),
  };
}

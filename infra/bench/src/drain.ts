import { withCleanup } from './cleanup.ts';
import { now } from './clock.ts';
import { Crowds } from './crowds.ts';
import { benchRun } from './events.ts';
import type { Place } from './follower.ts';
import { benchLog, lastSequences } from './log.ts';
import type { BenchOptions } from './options.ts';
import { ascending, quantile } from './pairs.ts';
import { Peer } from './peer.ts';
import type { PublisherSetup } from './peers/publisher.ts';
import { measured, type Report } from './report.ts';
import { benchNats } from './servers.ts';
import { benchStack, edgeOnly } from './stack.ts';
import { busiest } from './windows.ts';

const RUNS = 50;
const PROCESSES = 4;
const EVENTS_PER_SECOND = 50;
/** From the last goodbye to the end of the process. */
const END_MS = 3_000;
const SETTLE_MS = 15_000;

/**
 * An edge with ten thousand clients is told to stop while events go on. It says goodbye to all of them within the configured
 * time; each comes back at another edge, with its cursor, when it was told to. What counts is that nobody misses anything,
 * that the process ends in time, and how many come back within one second: the same number each second would be the best.
 */
export function drain({ quick, say }: BenchOptions): Promise<Report> {
  const clients = quick ? 2_000 : 10_000;
  const drainMs = quick ? 4_000 : 10_000;
  const rounds = quick ? 1 : 2;
  return withCleanup(async () => {
    const figures: Drained[] = [];
    for (let round = 0; round < rounds; round++) {
      const drained = await drainOnce(clients, drainMs);
      figures.push(drained);
      say(`round ${round + 1}: ${text(drained)}`);
    }
    const mean = clients / (drainMs / 1_000);
    const row = (name: string, unit: string, of: (drained: Drained) => number, atMost?: number) =>
      measured(
        { benchmark: 'drain', name: `${clients} clients over ${drainMs / 1_000} s: ${name}`, unit },
        figures.map(of),
        atMost === undefined ? undefined : { sense: 'at_most', value: atMost },
      );
    return {
      rows: [
        measured(
          {
            benchmark: 'drain',
            name: `${clients} clients over ${drainMs / 1_000} s: complete at the other edge`,
            unit: '%',
          },
          figures.map(({ complete }) => complete),
          { sense: 'at_least', value: 100 },
        ),
        row('the process ends after', 's', ({ endedMs }) => endedMs / 1_000, (drainMs + END_MS) / 1_000),
        row('most reconnects in one second / even', '×', ({ returns }) => busiest(returns, 1_000) / mean, 1.5),
        row('most reconnects in one second', '', ({ returns }) => busiest(returns, 1_000)),
        row('most reconnects in 100 ms', '', ({ returns }) => busiest(returns, 100)),
        row('from reconnect to caught up, p99', 'ms', ({ catchUps }) => quantile(ascending(catchUps), 0.99)),
      ],
      notes: [`evenly spread, ${Math.round(mean)} would come back each second`],
    };
  });
}

interface Drained {
  readonly complete: number;
  readonly endedMs: number;
  /** Milliseconds since the signal, one for each reconnect. */
  readonly returns: readonly number[];
  /** Milliseconds from the reconnect to caught up. */
  readonly catchUps: readonly number[];
}

function drainOnce(clients: number, drainMs: number): Promise<Drained> {
  return withCleanup(async (cleanup) => {
    const { url: natsUrl } = await benchNats(cleanup);
    const runs = Array.from({ length: RUNS }, (_, number) => benchRun(number));
    const edgeOf = () =>
      benchStack(cleanup, {
        natsUrl,
        databaseUrl: 'postgres://not.needed/',
        services: edgeOnly,
        graceMs: drainMs + 10_000,
        env: { TOOLSTREAM_DRAIN_MS: String(drainMs) },
      });
    const [leaving, staying] = await Promise.all([edgeOf(), edgeOf()]);
    const publisher = cleanup.add(new Peer('publisher'), (peer) => peer.stop());
    await publisher.call('setUp', { natsUrl, route: 'log', runs, toolsPerRun: 4 } satisfies PublisherSetup);
    const tokens = await Promise.all(Array.from({ length: clients }, (_, number) => leaving.tokenOf(`user-${number}`)));
    const crowds = new Crowds(cleanup, PROCESSES);
    await crowds.connect(
      tokens.map((token, number): Place => {
        const { run } = runs[number % RUNS]!;
        return { server: 'edge', url: leaving.edgeUrl, token, run };
      }),
    );
    await crowds.moveTo(staying.edgeUrl);
    const emitted = publisher.call('emit', { rate: EVENTS_PER_SECOND, seconds: drainMs / 1_000 + 2 });
    emitted.catch(() => {}); // Told below, unless something else fails before.
    const began = now();
    await leaving.stop();
    const endedMs = (now() - began) / 1e6;
    await emitted;
    const log = await benchLog(cleanup, natsUrl);
    const report = await crowds.complete(await lastSequences(log, runs), SETTLE_MS);
    await crowds.leave();
    return {
      complete: (100 * report.complete) / report.clients,
      endedMs,
      returns: report.returns.map(({ at }) => (at - began) / 1e6),
      catchUps: report.returns.map(({ at, liveAt }) => (liveAt - at) / 1e6),
    };
  });
}

const text = ({ complete, endedMs, returns }: Drained): string =>
  `${complete}% complete, ended after ${(endedMs / 1_000).toFixed(1)} s, at most ${busiest(returns, 1_000)} reconnects in one second, ${busiest(returns, 100)} in 100 ms`;

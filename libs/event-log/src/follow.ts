import {
  appSubjects,
  liveAppSubjects,
  liveRunSubjects,
  liveRunSubjectsAnyApp,
  partitionOfRun,
  runSubjects,
  runSubjectsAnyApp,
} from '@toolstream/proto-events';
import type { Channel } from './channel.ts';
import type { Follower, FollowOptions, FollowStats, FollowTarget } from './follow-options.ts';
import { FollowedPartition } from './followed-partition.ts';
import type { StreamPositions } from './stream-positions.ts';
import { tail } from './tail.ts';

export interface FollowContext {
  channel: Channel;
  partitions: number;
  positions: StreamPositions;
  epoch: (partition: number) => string;
}

/**
 * Start buffering live → read from the position → merge by sequence and check each subject's chain → live. A hole found
 * later, a lost connection and every few seconds of time end in another read (see merge.ts for what may pass when).
 */
export function follow(context: FollowContext, options: FollowOptions): Follower {
  const { run: target } = options;
  const filters = filtersOf(target, context.partitions);
  const parts = new Map<number, FollowedPartition>();
  for (const [partition, filter] of filters) {
    const from = typeof options.from === 'number' ? options.from : (options.from[partition] ?? 0);
    parts.set(
      partition,
      new FollowedPartition(context.channel, context.positions, {
        ...options,
        partition,
        filter,
        from,
        // A run's cursor is the sequence of one of its events; an app's may be any position.
        fromIsEvent: target.run !== undefined,
        epoch: () => context.epoch(partition),
      }),
    );
  }

  const live = tail(
    context.channel.nc,
    liveSubject(target),
    (event) => {
      const partition = Number(event.subject.split('.', 3)[2]);
      parts.get(partition)?.live(event);
    },
    options.onError,
  );
  const forget = [
    context.channel.onDisconnect(() => {
      for (const part of parts.values()) part.hold();
    }),
    context.channel.onReconnect(() => {
      for (const part of parts.values()) part.sync();
    }),
  ];
  // The flush fails only with the connection; the reconnect then starts the reads.
  void live.ready.then(
    () => {
      for (const part of parts.values()) part.sync();
    },
    () => {},
  );

  return {
    ready: Promise.all([...parts.values()].map((part) => part.ready)).then(() => {}),
    positions: () => Object.fromEntries([...parts].map(([partition, part]) => [partition, part.low])),
    stats: () => {
      const sum: FollowStats = { checks: 0, repairs: 0, gaps: 0 };
      for (const { stats } of parts.values()) {
        sum.checks += stats.checks;
        sum.repairs += stats.repairs;
        sum.gaps += stats.gaps;
      }
      return sum;
    },
    continueFrom: (partition, seq) => parts.get(partition)?.continueFrom(seq),
    stop: () => {
      live.stop();
      for (const remove of forget) remove();
      for (const part of parts.values()) part.stop();
    },
  };
}

function filtersOf(target: FollowTarget, partitions: number): [number, string][] {
  if (target.run === undefined) {
    return Array.from({ length: partitions }, (_, p) => [p, appSubjects(p, target.tenant, target.app)]);
  }
  const { tenant, run, app } = target;
  const filter = app === undefined ? runSubjectsAnyApp(tenant, run) : runSubjects({ tenant, app, run });
  return [[partitionOfRun(run) ?? 0, filter]];
}

function liveSubject(target: FollowTarget): string {
  if (target.run === undefined) return liveAppSubjects(target.tenant, target.app);
  const { tenant, run, app } = target;
  return app === undefined ? liveRunSubjectsAnyApp(tenant, run) : liveRunSubjects({ tenant, app, run });
}

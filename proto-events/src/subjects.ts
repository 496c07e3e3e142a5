import { isRunId, isToken, partitionOfRun } from './ids.ts';

/** Whose a run is: everything that its subjects are made of. */
export interface RunAddress {
  readonly tenant: string;
  readonly app: string;
  readonly run: string;
}

/** The writer of a subject: the orchestrator writes `run`, the current attempt writes its tool's index. */
export type Writer = 'run' | number;

export interface EventAddress extends RunAddress {
  readonly partition: number;
  readonly writer: Writer;
}

const EVENT_PREFIX = 'ts.evt';
const LIVE_PREFIX = 'ts.live';

function checked(value: string, what: string): string {
  if (!isToken(value)) throw new TypeError(`${what} is no subject token: ${JSON.stringify(value)}`);
  return value;
}

function scope(run: RunAddress): string {
  const partition = partitionOfRun(run.run);
  if (partition === undefined) throw new TypeError(`not a run id: ${JSON.stringify(run.run)}`);
  return `${partition}.${checked(run.tenant, 'tenant')}.${checked(run.app, 'app')}.${run.run}`;
}

export const eventStream = (partition: number): string => `EVENTS_${partition}`;
export const eventStreamSubjects = (partition: number): string => `${EVENT_PREFIX}.${partition}.*.*.*.*`;
export const eventRepublish = { src: `${EVENT_PREFIX}.>`, dest: `${LIVE_PREFIX}.>` } as const;

/** `ts.evt.<p>.<tenant>.<app>.<run>.run`: the run's life, written by the orchestrator. */
export const runSubject = (run: RunAddress): string => `${EVENT_PREFIX}.${scope(run)}.run`;
/** `ts.evt.<p>.<tenant>.<app>.<run>.<index>`: the tool call's life, written by its current attempt. */
export const toolSubject = (run: RunAddress, index: number): string => `${EVENT_PREFIX}.${scope(run)}.${index}`;
export const writerSubject = (run: RunAddress, writer: Writer): string =>
  writer === 'run' ? runSubject(run) : toolSubject(run, writer);
/** Every subject of one run, for reads. */
export const runSubjects = (run: RunAddress): string => `${EVENT_PREFIX}.${scope(run)}.*`;
/** A run of which only tenant and id are known. */
export const runSubjectsAnyApp = (tenant: string, run: string): string =>
  `${EVENT_PREFIX}.${partitionOfRun(run)}.${checked(tenant, 'tenant')}.*.${checked(run, 'run')}.*`;
/** Every subject of one app in one partition, for reads. */
export const appSubjects = (partition: number, tenant: string, app: string): string =>
  `${EVENT_PREFIX}.${partition}.${checked(tenant, 'tenant')}.${checked(app, 'app')}.*.*`;

/** The live tail of one run: core NATS, at most once. */
export const liveRunSubjects = (run: RunAddress): string => `${LIVE_PREFIX}.${scope(run)}.*`;
/** The live tail of a run of which only tenant and id are known. */
export const liveRunSubjectsAnyApp = (tenant: string, run: string): string =>
  `${LIVE_PREFIX}.${partitionOfRun(run)}.${checked(tenant, 'tenant')}.*.${checked(run, 'run')}.*`;
/** The live tail of one app, over all partitions. */
export const liveAppSubjects = (tenant: string, app: string): string =>
  `${LIVE_PREFIX}.*.${checked(tenant, 'tenant')}.${checked(app, 'app')}.*.*`;

/** Parses `ts.evt.…` and `ts.live.…`; `undefined` for anything else. */
export function parseEventSubject(subject: string): EventAddress | undefined {
  const parts = subject.split('.');
  if (parts.length !== 7 || parts[0] !== 'ts' || (parts[1] !== 'evt' && parts[1] !== 'live')) return undefined;
  const [, , p, tenant, app, run, last] = parts as [string, string, string, string, string, string, string];
  if (!isRunId(run) || !isToken(tenant) || !isToken(app) || String(partitionOfRun(run)) !== p) return undefined;
  if (last === 'run') return { partition: Number(p), tenant, app, run, writer: 'run' };
  return /^\d{1,3}$/.test(last) ? { partition: Number(p), tenant, app, run, writer: Number(last) } : undefined;
}

export const JOBS_STREAM = 'JOBS';
export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];
export const JOB_BUCKETS = 4;
export const jobStreamSubjects = 'ts.job.*.*.*.*';

/** FNV-1a of the tenant: a tenant's jobs always queue in the same bucket. */
export function bucketOfTenant(tenant: string, buckets = JOB_BUCKETS): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < tenant.length; i++) hash = Math.imul(hash ^ tenant.charCodeAt(i), 0x01000193) >>> 0;
  return hash % buckets;
}

export const jobSubject = (pool: string, priority: Priority, tenant: string): string =>
  `ts.job.${checked(pool, 'pool')}.${priority}.${bucketOfTenant(tenant)}.${checked(tenant, 'tenant')}`;
export const jobConsumer = (pool: string, priority: Priority, bucket: number): string =>
  `${checked(pool, 'pool')}_${priority}_${bucket}`;
export const jobConsumerFilter = (pool: string, priority: Priority, bucket: number): string =>
  `ts.job.${checked(pool, 'pool')}.${priority}.${bucket}.*`;

export const TIMERS_STREAM = 'TIMERS';
export const timerStreamSubjects = ['ts.timer.sched.>', 'ts.timer.due.>'];
/** Where a schedule waits; one subject per timer id, so publishing it again replaces it. */
export const timerScheduleSubject = (timerId: string): string => `ts.timer.sched.${checked(timerId, 'timer id')}`;
/** Where a fired timer arrives. */
export const timerDueSubject = (partition: number): string => `ts.timer.due.${partition}`;
export const timerDueFilter = 'ts.timer.due.*';

/** Wake-up signal for executors. It carries no truth: the log does. */
export const controlSubject = (tenant: string, run: string): string =>
  `ts.ctl.${checked(tenant, 'tenant')}.${checked(run, 'run')}`;
export const controlSubjects = 'ts.ctl.>';
export function parseControlSubject(subject: string): { tenant: string; run: string } | undefined {
  const [ts, ctl, tenant, run, ...rest] = subject.split('.');
  return ts === 'ts' && ctl === 'ctl' && tenant && run && rest.length === 0 ? { tenant, run } : undefined;
}

export const DEAD_STREAM = 'DEAD';
export const deadStreamSubjects = [
  `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${JOBS_STREAM}.>`,
  `$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.${JOBS_STREAM}.>`,
];

export const commandSubject = (name: string): string => `ts.cmd.${checked(name, 'command')}`;
export const querySubject = (name: string): string => `ts.query.${checked(name, 'query')}`;

/** KV buckets. `TOOLS`: `<pool>.<name>` → tool definition. `ESTIMATES`: `<name>` → learned duration. */
export const TOOLS_BUCKET = 'TS_TOOLS';
export const ESTIMATES_BUCKET = 'TS_ESTIMATES';

import { fileURLToPath } from 'node:url';
import { Executor, executorConfig } from '@toolstream/executor';
import { orchestratorConfig, startOrchestrator } from '@toolstream/orchestrator';
import { projectionConfig, startProjection } from '@toolstream/projection';
import { connectNats, createLogger, startTelemetry } from '@toolstream/service-kit';
import { startEphemeralPostgres } from '@toolstream/testkit';
import { startTestEdge, startTestLog, type TestEdge, type TestLog } from './harness.ts';

const PARTITIONS = 2;
const TOOLS = fileURLToPath(new URL('../../../test/support/tools.ts', import.meta.url));

/** The services that an edge really talks to. */
export interface TestStack {
  readonly store: TestLog;
  startEdge(env?: Record<string, string>): Promise<TestEdge>;
  /** For runs that a test writes itself: nobody else may advance them. */
  stopOrchestrator(): Promise<void>;
  stop(): Promise<void>;
}

/** `tools`: modules of tools beside the usual ones. */
export async function startTestStack(...tools: string[]): Promise<TestStack> {
  const log = createLogger({ name: 'test', level: process.env.LOG_LEVEL ?? 'silent' });
  const [store, postgres] = await Promise.all([startTestLog(PARTITIONS), startEphemeralPostgres()]);
  const telemetry = await startTelemetry({ name: 'test', instance: 'test-1', log });
  const { meter } = telemetry;
  const env = { NATS_URL: store.nats.url, TOOLSTREAM_PARTITIONS: String(PARTITIONS) };
  const closing: (() => Promise<void>)[] = [];
  const connection = async (name: string) => {
    const nc = await connectNats(store.nats.url, name, log);
    closing.push(() => nc.close());
    return nc;
  };
  const executor = await Executor.start({
    nc: await connection('executor'),
    config: executorConfig.parse({
      ...env,
      TOOLSTREAM_TOOLS: [TOOLS, ...tools].join(','),
      TOOLSTREAM_WARM_THREADS: '0',
    }),
    instance: 'executor-1',
    logger: log,
  });
  const orchestrator = await startOrchestrator({
    nc: await connection('orchestrator'),
    config: orchestratorConfig.parse(env),
    instance: 'orchestrator-1',
    log,
    meter,
  });
  const projection = await startProjection({
    nc: await connection('projection'),
    config: projectionConfig.parse({ ...env, DATABASE_URL: postgres.url }),
    instance: 'projection-1',
    log,
    meter,
    signal: new AbortController().signal,
  });
  let stopping: Promise<void> | undefined;
  const stopOrchestrator = () => (stopping ??= orchestrator.stop());
  return {
    store,
    stopOrchestrator,
    startEdge: (more = {}) => startTestEdge(store.nats, { TOOLSTREAM_PARTITIONS: String(PARTITIONS), ...more }),
    stop: async () => {
      await executor.stop();
      await stopOrchestrator();
      await projection.stop();
      for (const close of closing) await close();
      await telemetry.shutdown();
      await postgres.stop();
      await store.stop();
    },
  };
}

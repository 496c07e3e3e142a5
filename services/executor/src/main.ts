import { declareStreams } from '@toolstream/event-log';
import { runService } from '@toolstream/service-kit';
import { Executor } from './app.ts';
import { executorConfig } from './config.ts';

/** For what stopping takes beyond the draining: ending threads, sending what is buffered. */
const STOP_SLACK_MS = 10_000;
const stopMs = executorConfig.shape.TOOLSTREAM_STOP_MS.catch(0).parse(process.env.TOOLSTREAM_STOP_MS || undefined);

await runService({
  name: 'executor',
  config: executorConfig,
  stopTimeoutMs: stopMs + STOP_SLACK_MS,
  async start({ nc, config, instance, log, meter, tracer }) {
    await declareStreams(nc, { mode: config.TOOLSTREAM_STREAMS, partitions: config.TOOLSTREAM_PARTITIONS });
    const executor = await Executor.start({ nc, config, instance, logger: log, meter, tracer });
    return { ready: () => executor.readiness, stop: () => executor.stop() };
  },
});

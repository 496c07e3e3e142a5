import { declareStreams } from '@toolstream/event-log';
import { runService } from '@toolstream/service-kit';
import { Executor } from './app.ts';
import { executorConfig } from './config.ts';

await runService({
  name: 'executor',
  config: executorConfig,
  stopTimeoutMs: 40_000,
  async start({ nc, config, instance, log, meter }) {
    await declareStreams(nc, { mode: config.TOOLSTREAM_STREAMS, partitions: config.TOOLSTREAM_PARTITIONS });
    const executor = await Executor.start({ nc, config, instance, logger: log, meter });
    return { stop: () => executor.stop() };
  },
});

import { runService } from '@toolstream/service-kit';
import { stopDeadlineMs } from './app.ts';
import { edgeConfig } from './config.ts';
import { startEdge, VERSION } from './service.ts';

await runService({
  name: 'edge',
  version: VERSION,
  config: edgeConfig,
  stopTimeoutMs: stopDeadlineMs,
  start: startEdge,
});

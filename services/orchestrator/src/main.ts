import { runService } from '@toolstream/service-kit';
import { startOrchestrator } from './app.ts';
import { orchestratorConfig } from './config.ts';

await runService({
  name: 'orchestrator',
  version: '0.1.0',
  config: orchestratorConfig,
  start: async ({ nc, config, instance, log, meter }) => {
    const orchestrator = await startOrchestrator({ nc, config, instance, log, meter });
    return { ready: () => ({ ready: true }), stop: () => orchestrator.stop() };
  },
});

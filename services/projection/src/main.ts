import { runService } from '@toolstream/service-kit';
import { startProjection, VERSION } from './app.ts';
import { projectionConfig } from './config.ts';

await runService({ name: 'projection', version: VERSION, config: projectionConfig, start: startProjection });

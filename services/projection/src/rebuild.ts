import { asError, ConfigError, connectNats, createLogger, EXIT_CONFIG, loadConfig } from '@toolstream/service-kit';
import { type ProjectionConfig, projectionConfig } from './config.ts';
import { rebuildTables } from './rebuild/rebuild.ts';

/** `node src/rebuild.ts`, with the service's own environment: makes the tables anew while the service runs. */
async function main(config: ProjectionConfig): Promise<void> {
  const log = createLogger({ name: 'projection-rebuild', level: config.LOG_LEVEL });
  try {
    const nc = await connectNats(config.NATS_URL, 'projection-rebuild', log, {
      credsFile: config.NATS_CREDS_FILE,
      nkeySeed: config.NATS_NKEY_SEED,
    });
    try {
      await rebuildTables({
        nc,
        databaseUrl: config.DATABASE_URL,
        partitions: config.TOOLSTREAM_PARTITIONS,
        batch: config.TOOLSTREAM_PROJECTION_BATCH,
        cacheChars: config.TOOLSTREAM_PROJECTION_CACHE_MB * 1024 * 1024,
        log,
      });
    } finally {
      await nc.close();
    }
  } catch (error) {
    log.fatal({ error: asError(error) }, 'the tables could not be rebuilt; the live ones are as they were');
    process.exitCode = 1;
  }
}

try {
  await main(loadConfig(projectionConfig));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = EXIT_CONFIG;
}

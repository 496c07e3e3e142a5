import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { declareStreams } from '@toolstream/event-log';
import { type NatsServer, startNats } from '@toolstream/testkit';
import type { Cleanup } from './cleanup.ts';

/** A folder that is gone when the benchmark is over. */
export async function temporaryFolder(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'toolstream-bench-'));
  return cleanup.add(folder, () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
}

/** A server set up as `make up` sets up its own: streams on disk, synced every ten seconds. */
export async function benchNats(cleanup: Cleanup): Promise<NatsServer> {
  const dataDir = await temporaryFolder(cleanup);
  const server = cleanup.add(await startNats({ dataDir }), (nats) => nats.stop());
  const nc = await connect({ servers: server.url });
  await declareStreams(nc, { mode: 'create', partitions: 1 });
  await nc.close();
  return server;
}

/**
 * The floor's stream, of everything below `prefix`. `republish`: as the event streams do it, below `live.`; else nothing
 * but a stream on disk.
 */
export async function floorStream(natsUrl: string, prefix: string, republish: boolean): Promise<void> {
  const subjects = `${prefix}.>`;
  const config: Partial<StreamConfig> & { name: string } = {
    name: prefix,
    subjects: [subjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    ...(republish ? { republish: { src: subjects, dest: `live.${subjects}` } } : {}),
  };
  const nc = await connect({ servers: natsUrl });
  await (await jetstreamManager(nc)).streams.add(config);
  await nc.close();
}

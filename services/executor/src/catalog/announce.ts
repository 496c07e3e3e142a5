import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { TOOLS_BUCKET, type ToolDefinition } from '@toolstream/proto-events';

/**
 * Puts the tools into the catalog that submissions are checked against. Entries outlive their executors: a call for a
 * tool whose executors are all down waits for one. Unchanged entries are not written again, so a restart stirs nobody.
 */
export async function announceTools(nc: NatsConnection, definitions: readonly ToolDefinition[]): Promise<void> {
  const bucket = await new Kvm(nc).create(TOOLS_BUCKET);
  await Promise.all(definitions.map((definition) => announce(bucket, definition)));
}

async function announce(bucket: KV, definition: ToolDefinition): Promise<void> {
  const key = `${definition.pool}.${definition.name}`;
  const text = JSON.stringify(definition);
  const present = await bucket.get(key);
  if (present?.operation === 'PUT' && present.string() === text) return;
  await bucket.put(key, text);
}

/** For tools that their source itself says are gone. */
export async function withdrawTools(nc: NatsConnection, pool: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const bucket = await new Kvm(nc).create(TOOLS_BUCKET);
  await Promise.all(names.map((name) => bucket.delete(`${pool}.${name}`)));
}

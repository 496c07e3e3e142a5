import { randomBytes } from 'node:crypto';
import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { StreamMismatchError } from './errors.ts';
import { EPOCH_KEY } from './leader.ts';
import { hasApiCode, isTransient, untilAvailable } from './retry.ts';
import { requireServer } from './server-version.ts';
import {
  configDifferences,
  type DesiredStream,
  desiredStreams,
  type StreamsOptions,
  withChanges,
} from './stream-config.ts';

export interface DeclareOptions extends StreamsOptions {
  /**
   * `create`: make what is missing, change what may be changed. `verify`: touch nothing, fail unless everything is as
   * wanted. `off`: look at nothing (an operator owns the streams).
   */
  mode: 'create' | 'verify' | 'off';
  timeoutMs?: number;
}

const STREAM_NAME_IN_USE = 10058;

/** May be called by every service at its start, at the same time: all of them end up with the same streams. */
export async function declareStreams(nc: NatsConnection, options: DeclareOptions): Promise<void> {
  if (options.mode === 'off') return;
  requireServer(nc);
  const timeoutMs = options.timeoutMs ?? 15_000;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const problems: string[] = [];
  for (const desired of desiredStreams(options)) {
    const settle = options.mode === 'create' ? createOrChange : compare;
    problems.push(...(await untilAvailable(`declaration of ${desired.name}`, timeoutMs, () => settle(jsm, desired))));
  }
  if (problems.length === 0) return;
  const remedy =
    options.mode === 'create'
      ? 'A running stream cannot take this on: move its messages to a new one, or set TOOLSTREAM_STREAMS=off.'
      : 'Start once with TOOLSTREAM_STREAMS=create and an identity that may change streams.';
  throw new StreamMismatchError(problems, remedy);
}

async function lookUp(jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (hasApiCode(error, JetStreamApiCodes.StreamNotFound)) return undefined;
    throw error;
  }
}

const hasEpoch = (desired: DesiredStream): boolean => desired.republish !== undefined;
const epochOf = (info: StreamInfo): string | undefined => info.config.metadata?.[EPOCH_KEY];
const newEpoch = (): string => randomBytes(6).toString('base64url');

async function compare(jsm: JetStreamManager, desired: DesiredStream): Promise<string[]> {
  const info = await lookUp(jsm, desired.name);
  if (!info) return [`${desired.name}: the stream does not exist`];
  const missing = hasEpoch(desired) && !epochOf(info) ? [`${desired.name}: metadata has no ${EPOCH_KEY}`] : [];
  return [...configDifferences(info.config, desired), ...missing];
}

async function createOrChange(jsm: JetStreamManager, desired: DesiredStream): Promise<string[]> {
  const wanted = hasEpoch(desired) ? { ...desired, metadata: { [EPOCH_KEY]: newEpoch() } } : desired;
  let info = await lookUp(jsm, desired.name);
  if (!info) {
    try {
      await jsm.streams.add(wanted);
      return [];
    } catch (error) {
      if (!hasApiCode(error, STREAM_NAME_IN_USE)) throw error;
      // Another service was faster; its epoch counts.
      info = await jsm.streams.info(desired.name);
    }
  }
  const differences = configDifferences(info.config, desired);
  const needsEpoch = hasEpoch(desired) && !epochOf(info);
  if (differences.length === 0 && !needsEpoch) return [];
  try {
    await jsm.streams.update(desired.name, withChanges(info.config, needsEpoch ? wanted : desired));
    return [];
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || isTransient(error)) throw error;
    return [...differences, `${desired.name}: the server refused the change: ${error.message}`];
  }
}

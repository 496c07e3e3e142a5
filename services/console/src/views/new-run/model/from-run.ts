import type { ArtifactRef, Json, RunSnapshot } from '@toolstream/proto-events';
import { type Draft, jsonText } from './draft.ts';
import { isObject } from './json-text.ts';

/** What reads arguments that are too large for the run's state. */
export interface ArtifactReader {
  artifact(run: string, ref: ArtifactRef): Promise<Uint8Array>;
}

/** A run's calls as a draft: with the arguments that they ran with, also those that an approval changed. */
export async function draftFrom(run: RunSnapshot, client: ArtifactReader): Promise<Draft> {
  const keyOf = (index: number) => `c${index + 1}`;
  const calls = await Promise.all(
    run.tools.map(async ({ index, call_id, name, arguments: args, depends_on, rejection, timeout_ms }) => {
      const value = await whole(args, run.run_id, client);
      // What was no JSON then is put right now.
      const isBroken = rejection?.code === 'invalid_arguments' && typeof value === 'string';
      const own = rejection?.code === 'unknown_tool' ? {} : { timeout_ms };
      return {
        key: keyOf(index),
        id: call_id,
        name,
        text: isBroken ? value : jsonText(value),
        depends_on: depends_on.map(keyOf),
        ...own,
      };
    }),
  );
  return { app: run.app, message_id: run.message_id ?? '', order: run.ordering, calls };
}

async function whole(args: Json, run: string, client: ArtifactReader): Promise<Json> {
  if (!isReference(args)) return args;
  return JSON.parse(new TextDecoder().decode(await client.artifact(run, args))) as Json;
}

/** As the contract has it; its own check would bring a schema library into the page. */
function isReference(value: Json): value is ArtifactRef {
  if (!isObject(value) || Object.keys(value).length !== 1) return false;
  return isObject(value.$ref) && typeof value.$ref.artifact === 'string';
}

import { createHash } from 'node:crypto';
import type { ArtifactRef } from '@toolstream/proto-events';
import type { ArtifactSource, ToolArtifacts } from '../stores.ts';

export interface TestArtifact {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
}

/** An artifact store in memory; what was put is in {@link all}, in order. */
export class MemoryArtifacts implements ToolArtifacts {
  readonly all: TestArtifact[] = [];

  put: ToolArtifacts['put'] = async (source, { contentType, onBytes } = {}) => {
    const total = typeof source === 'string' || source instanceof Uint8Array ? Buffer.byteLength(source) : undefined;
    const pieces: Uint8Array[] = [];
    let written = 0;
    for await (const piece of piecesOf(source)) {
      pieces.push(piece);
      written += piece.byteLength;
      onBytes?.(written, total);
    }
    const bytes = new Uint8Array(Buffer.concat(pieces));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.all.push({ bytes, contentType });
    return { $ref: { artifact: `test.${this.all.length - 1}.${sha256}`, bytes: bytes.byteLength, sha256 } };
  };

  get: ToolArtifacts['get'] = async ({ $ref }: ArtifactRef) => {
    const at = Number($ref.artifact.split('.')[1]);
    const found = this.all[at];
    return found && new Uint8Array(found.bytes);
  };
}

async function* piecesOf(source: ArtifactSource): AsyncIterable<Uint8Array> {
  if (typeof source === 'string') yield Buffer.from(source);
  else if (source instanceof Uint8Array) yield source;
  else yield* source;
}

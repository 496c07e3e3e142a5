import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { documents } from './documents.ts';

const root = join(import.meta.dirname, '..', 'generated');
rmSync(root, { recursive: true, force: true });
for (const [path, content] of documents()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}
console.log(`wrote ${documents().size} documents to ${root}`);

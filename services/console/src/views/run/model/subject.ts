import type { Json } from '@toolstream/proto-events';

/** Arguments that say what a call is about, the most telling first. */
const TELLING = ['file_path', 'path', 'new_path', 'url', 'query', 'command', 'prompt', 'name', 'title', 'id'];
const LONGEST = 160;

/** The one argument that tells a call from its neighbours, or nothing. */
export function subjectOf(value: Json): string | undefined {
  if (typeof value === 'string') return clipped(value);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  for (const key of TELLING) {
    const found = value[key];
    if (typeof found === 'string' && found.trim() !== '') return clipped(found);
  }
  const texts = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return texts.length === 1 && texts[0] ? clipped(texts[0][1]) : undefined;
}

function clipped(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

/** What a content is, as far as a viewer needs to know. */
export type ContentKind =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly type: string }
  | { readonly kind: 'binary'; readonly name: string };

/** Bytes at the beginning that tell whether it is text. */
const LOOKED_AT = 8_000;

const SIGNATURES: readonly (readonly [start: readonly number[], name: string, image?: string])[] = [
  [[0x89, 0x50, 0x4e, 0x47], 'PNG image', 'image/png'],
  [[0xff, 0xd8, 0xff], 'JPEG image', 'image/jpeg'],
  [[0x47, 0x49, 0x46, 0x38], 'GIF image', 'image/gif'],
  [[0x25, 0x50, 0x44, 0x46], 'PDF document'],
  [[0x50, 0x4b, 0x03, 0x04], 'ZIP archive'],
  [[0x1f, 0x8b], 'gzip archive'],
  [[0x7f, 0x45, 0x4c, 0x46], 'ELF program'],
  [[0x00, 0x61, 0x73, 0x6d], 'WebAssembly module'],
];

/**
 * By its first bytes, never by its name. SVG counts as text: it is shown as the source that it is, since a picture of it would be
 * a document of whoever wrote it.
 */
export function kindOf(bytes: Uint8Array): ContentKind {
  const found = SIGNATURES.find(([start]) => start.every((byte, at) => bytes[at] === byte));
  const [, name = 'Binary file', image] = isWebp(bytes) ? [[], 'WebP image', 'image/webp'] : (found ?? []);
  if (image !== undefined) return { kind: 'image', type: image };
  if (found !== undefined || bytes.subarray(0, LOOKED_AT).includes(0)) return { kind: 'binary', name };
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { kind: 'binary', name };
  }
}

const isWebp = (bytes: Uint8Array): boolean => ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP';
const ascii = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));

const LANGUAGES: Readonly<Record<string, string>> = {
  bash: 'bash',
  c: 'c',
  cc: 'cpp',
  cjs: 'javascript',
  cpp: 'cpp',
  cs: 'csharp',
  css: 'css',
  diff: 'diff',
  erb: 'xml',
  go: 'go',
  gql: 'graphql',
  graphql: 'graphql',
  h: 'c',
  hpp: 'cpp',
  htm: 'xml',
  html: 'xml',
  ini: 'ini',
  java: 'java',
  js: 'javascript',
  json: 'json',
  jsonc: 'json',
  jsx: 'javascript',
  kt: 'kotlin',
  less: 'less',
  lua: 'lua',
  md: 'markdown',
  mjs: 'javascript',
  mts: 'typescript',
  patch: 'diff',
  php: 'php',
  pl: 'perl',
  py: 'python',
  r: 'r',
  rake: 'ruby',
  rb: 'ruby',
  rs: 'rust',
  scss: 'scss',
  sh: 'bash',
  sql: 'sql',
  svg: 'xml',
  swift: 'swift',
  toml: 'ini',
  ts: 'typescript',
  tsx: 'typescript',
  vue: 'xml',
  xml: 'xml',
  yaml: 'yaml',
  yml: 'yaml',
  zsh: 'bash',
};
const NAMES: Readonly<Record<string, string>> = {
  dockerfile: 'bash',
  gemfile: 'ruby',
  makefile: 'makefile',
  rakefile: 'ruby',
};

/** The highlighter's name of a file's language; `undefined` for what is shown plainly. */
export function languageOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const dot = name.lastIndexOf('.');
  return dot === -1 ? NAMES[name] : LANGUAGES[name.slice(dot + 1)];
}

/** One place that packages come from, as the machine's own apt configuration names it. */
export interface AptSource {
  uris: string[];
  suites: string[];
  components: string[];
  /** Options such as `signed-by`, in deb822 spelling and verbatim (a key may be inline). */
  options: Record<string, string>;
}

/** Reads both formats that apt accepts: one-line `.list` and deb822 `.sources`. Disabled and source-only entries are left out. */
export function parseAptSources(fileName: string, text: string): AptSource[] {
  return fileName.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text);
}

function parseOneLine(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$/.exec(line.replace(/#.*/, '').trim());
    if (!match) continue;
    const [, bracket = '', uri = '', suite = '', rest = ''] = match;
    const options: Record<string, string> = {};
    for (const option of bracket.split(/\s+/).filter(Boolean)) {
      const [key = '', value = ''] = option.split(/\+?=/);
      options[key.toLowerCase()] = value;
    }
    found.push({ uris: [uri], suites: [suite], components: rest.split(/\s+/).filter(Boolean), options });
  }
  return found;
}

function parseDeb822(text: string): AptSource[] {
  const found: AptSource[] = [];
  const withoutComments = text.replace(/^#.*\n?/gm, '');
  for (const stanza of withoutComments.split(/\n\s*\n/)) {
    const fields: Record<string, string> = {};
    for (const match of stanza.matchAll(/^([A-Za-z][\w-]*):[ \t]*(.*(?:\n[ \t]+.*)*)/gm)) {
      fields[(match[1] ?? '').toLowerCase()] = (match[2] ?? '').trimEnd();
    }
    const { types = '', uris = '', suites = '', components = '', enabled = 'yes', ...options } = fields;
    const words = (value: string) => value.split(/\s+/).filter(Boolean);
    if (!words(types).includes('deb') || /^(no|false|0|off)$/i.test(enabled.trim())) continue;
    found.push({ uris: words(uris), suites: words(suites), components: words(components), options });
  }
  return found;
}

/** The sources that carry the distribution itself: its release's main suite, not its updates, security or third parties. */
export function distributionSources(sources: AptSource[], codename: string): AptSource[] {
  const rolling = ['sid', 'unstable', 'testing', 'stable', 'oldstable', 'devel'];
  return sources.filter(
    (source) =>
      source.components.includes('main') &&
      source.suites.some((suite) => suite === codename || rolling.includes(suite)) &&
      !source.uris.every((uri) => /security/.test(uri)),
  );
}

/** The same mirror and keys, another suite, and nothing but its package index. */
export function sourceForSuite(source: AptSource, suite: string, components: string[]): string {
  const keep = ['signed-by', 'trusted', 'check-valid-until', 'check-date'];
  const options = Object.entries(source.options).filter(([key]) => keep.includes(key));
  return [
    'Types: deb',
    `URIs: ${source.uris.join(' ')}`,
    `Suites: ${suite}`,
    `Components: ${components.join(' ')}`,
    'Targets: Packages',
    ...options.map(([key, value]) => `${key}: ${value}`),
    '',
  ].join('\n');
}

/** `VERSION_CODENAME`, `ID` and the like from /etc/os-release. */
export function parseOsRelease(text: string): Record<string, string> {
  const entries = [...text.matchAll(/^([A-Z_]+)=("?)(.*)\2$/gm)].map((match) => [match[1] ?? '', match[3] ?? '']);
  return Object.fromEntries(entries) as Record<string, string>;
}

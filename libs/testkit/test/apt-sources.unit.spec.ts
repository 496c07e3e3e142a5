import { describe, expect, test } from 'vitest';
import { distributionSources, parseAptSources, parseOsRelease, sourceForSuite } from '../src/embedded/apt-sources.ts';

const DEB822 = `# where this machine gets its packages
Types: deb deb-src
URIs: http://mirror.example/debian
  http://second.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
# a comment inside a stanza
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm
Components: main
`;

describe('the sources that apt knows', () => {
  test('are read from deb822 files, without those switched off and those of sources alone', () => {
    const found = parseAptSources('debian.sources', DEB822);
    expect(found.map(({ uris }) => uris)).toEqual([
      ['http://mirror.example/debian', 'http://second.example/debian'],
      ['http://mirror.example/debian-security'],
    ]);
    expect(found[0]?.suites).toEqual(['bookworm', 'bookworm-updates']);
    expect(found[0]?.components).toEqual(['main', 'contrib']);
  });

  test('are read from one-line files, with and without options', () => {
    const text = [
      '# deb http://commented.example/debian bookworm main',
      'deb http://mirror.example/debian bookworm main contrib # the mirror',
      'deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] https://third.example/apt nodistro main',
      'deb-src http://mirror.example/debian bookworm main',
    ].join('\n');
    expect(parseAptSources('sources.list', text)).toEqual([
      { uris: ['http://mirror.example/debian'], suites: ['bookworm'], components: ['main', 'contrib'], options: {} },
      {
        uris: ['https://third.example/apt'],
        suites: ['nodistro'],
        components: ['main'],
        options: { arch: 'amd64', 'signed-by': '/usr/share/keyrings/k.gpg' },
      },
    ]);
  });

  test('carry the distribution itself only where they name its release', () => {
    const sources = [
      ...parseAptSources('debian.sources', DEB822),
      ...parseAptSources(
        'other.list',
        'deb https://third.example/apt nodistro main\ndeb http://local.example/d sid main',
      ),
    ];
    expect(distributionSources(sources, 'bookworm').map(({ uris }) => uris[0])).toEqual([
      'http://mirror.example/debian',
      'http://local.example/d',
    ]);
  });

  test('become a source of another suite on the same mirror, with the same keys and nothing else', () => {
    const [mirror] = parseAptSources('debian.sources', DEB822);
    expect(sourceForSuite(mirror!, 'sid', ['main'])).toBe(
      [
        'Types: deb',
        'URIs: http://mirror.example/debian http://second.example/debian',
        'Suites: sid',
        'Components: main',
        'Targets: Packages',
        'signed-by: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----',
        '',
      ].join('\n'),
    );
  });

  test('the release is named in os-release, quoted or not', () => {
    const text = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n';
    expect(parseOsRelease(text)).toMatchObject({ ID: 'debian', VERSION_CODENAME: 'bookworm' });
  });
});

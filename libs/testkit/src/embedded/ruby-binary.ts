import { unpackFromApt } from './apt-package.ts';
import { type FoundProgram, findProgram, type Program, type ProgramSearch } from './program-search.ts';
import { compareVersions } from './versions.ts';

/** What the examples are written for. */
const MINIMUM = '3.1';
/** Ruby knows its library by absolute paths, so an unpacked one is told where it lies. */
const LIBRARY = /^usr\/lib\/(ruby\/(vendor_ruby|[\d.]+)|[^/]+\/ruby\/[\d.]+)$/;

/** Nothing of the product needs Ruby: the example of a Rails application does. */
const RUBY: Program = {
  name: 'ruby',
  variable: 'RUBY_BIN',
  names: ['ruby'],
  versionIn: (output, path) => {
    const version = /^ruby (\d+(?:\.\d+)+)/.exec(output)?.[1];
    if (version === undefined) throw new Error(`${path} --version names no version of Ruby`);
    if (compareVersions(version, MINIMUM) < 0) throw new Error(`${path} is ${version}; ${MINIMUM} or newer is needed`);
    return version;
  },
  ways: [
    [
      'apt mirror',
      (scratch) => unpackFromApt(scratch, { name: 'ruby', binary: 'usr/bin/ruby', searchPaths: { RUBYLIB: LIBRARY } }),
    ],
  ],
  notFound: {
    code: 'ruby_not_found',
    message: `no Ruby of ${MINIMUM} or newer`,
    advice: 'Install one, or set RUBY_BIN to it.',
  },
};

export const findRuby = (search?: ProgramSearch): Promise<FoundProgram> => findProgram(RUBY, search);

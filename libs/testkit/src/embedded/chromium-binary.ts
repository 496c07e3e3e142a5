import { unpackFromApt } from './apt-package.ts';
import { type FoundProgram, findProgram, type Program, type ProgramSearch } from './program-search.ts';

const ON_MACOS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** A browser for tests. */
const CHROMIUM: Program = {
  name: 'chromium',
  variable: 'CHROMIUM_BIN',
  names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
  places: process.platform === 'darwin' ? ON_MACOS : [],
  versionIn: (output, path) => {
    const version = /chrom\w*\D*(\d+(?:\.\d+)+)/i.exec(output)?.[1];
    if (version === undefined) throw new Error(`${path} --version names no version of Chromium or Chrome`);
    return version;
  },
  ways: [
    [
      'apt mirror',
      (scratch) =>
        unpackFromApt(scratch, {
          name: 'chromium',
          binary: 'usr/lib/chromium/chromium',
          notOnUbuntu: 'as a snap only',
        }),
    ],
  ],
  notFound: {
    code: 'chromium_not_found',
    message: 'no Chromium or Chrome',
    advice: 'Install one, or set CHROMIUM_BIN to it.',
  },
};

export const findChromium = (search?: ProgramSearch): Promise<FoundProgram> => findProgram(CHROMIUM, search);

/** What a browser of a test or a benchmark is started with: it talks to nobody but the servers of its pages. */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
];

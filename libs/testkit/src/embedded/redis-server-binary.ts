import { unpackFromApt } from './apt-package.ts';
import { type FoundProgram, findProgram, type Program, type ProgramSearch } from './program-search.ts';

/** Nothing of the product needs Redis: what it is measured beside does. */
const REDIS_SERVER: Program = {
  name: 'redis-server',
  variable: 'REDIS_SERVER_BIN',
  names: ['redis-server'],
  versionIn: (output, path) => {
    const version = /\bv=(\d+(?:\.\d+)+)/.exec(output)?.[1];
    if (version === undefined) throw new Error(`${path} --version names no version of Redis`);
    return version;
  },
  ways: [['apt mirror', (scratch) => unpackFromApt(scratch, { name: 'redis-server', binary: 'usr/bin/redis-server' })]],
  notFound: {
    code: 'redis_server_not_found',
    message: 'no redis-server',
    advice: 'Install one, or set REDIS_SERVER_BIN to it.',
  },
};

export const findRedisServer = (search?: ProgramSearch): Promise<FoundProgram> => findProgram(REDIS_SERVER, search);

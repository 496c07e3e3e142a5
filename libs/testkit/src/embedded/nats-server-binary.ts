import { dirname } from 'node:path';
import { fromAptMirror, fromGithubRelease } from './nats-server-download.ts';
import { isNewEnough, MINIMUM_VERSION, parseVersion } from './nats-server-version.ts';
import { type FoundProgram, findProgram, type Program, type ProgramSearch } from './program-search.ts';

const NATS_SERVER: Program = {
  name: 'nats-server',
  variable: 'NATS_SERVER_BIN',
  names: ['nats-server'],
  versionIn: (output, path) => {
    const version = parseVersion(output);
    if (!version) throw new Error(`${path} --version names no version`);
    if (!isNewEnough(version)) throw new Error(`${path} is ${version}, ${MINIMUM_VERSION} is needed`);
    return version;
  },
  ways: [
    ['GitHub release', async (scratch) => dirname(await fromGithubRelease(scratch))],
    ['apt mirror', async (scratch) => dirname(await fromAptMirror(scratch))],
  ],
  notFound: {
    code: 'nats_server_not_found',
    message: `no nats-server ${MINIMUM_VERSION} or newer`,
    advice: 'Set NATS_SERVER_BIN to a nats-server, or NATS_URL to a running one.',
  },
};

export const findNatsServer = (search?: ProgramSearch): Promise<FoundProgram> => findProgram(NATS_SERVER, search);

let found: Promise<FoundProgram> | undefined;

/** Finds the server once per process. A failed search is not remembered: the network may come back. */
export function natsServerBinary(): Promise<FoundProgram> {
  found ??= findNatsServer().catch((error) => {
    found = undefined;
    throw error;
  });
  return found;
}

import { readCommandLine } from '../command-line.ts';
import { EXIT, Failure, usage } from '../exit-codes.ts';
import { DEVELOPMENT_SCOPE, dataDirOf, secretOf } from '../target.ts';
import { mintToken } from '../token.ts';

const HELP = `toolstream token: print a token, signed with TOOLSTREAM_JWT_SECRET or the secret of the stack on this machine

  --sub SUBJECT      who it is for; default: dev
  --tenant TENANT    default: dev
  --scope "SCOPES"   default: ${DEVELOPMENT_SCOPE}
  --app APP          an app that it is good for, more than once for several; default: all
  --expires TIME     30s, 15m, 12h or 7d; default: 1h
  --data-dir DIR     whose stack; default: TOOLSTREAM_DATA_DIR, else .toolstream in the repository`;

export async function token(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { values } = readCommandLine(
    {
      name: 'token',
      help: HELP,
      positionals: [],
      options: {
        sub: { type: 'string', default: 'dev' },
        tenant: { type: 'string', default: 'dev' },
        scope: { type: 'string', default: DEVELOPMENT_SCOPE },
        app: { type: 'string', multiple: true },
        expires: { type: 'string', default: '1h' },
        'data-dir': { type: 'string' },
      },
    },
    args,
  );
  const dataDir = dataDirOf(values, env);
  const secret = secretOf(dataDir, env);
  if (!secret) {
    const message = `There is no secret to sign with: set TOOLSTREAM_JWT_SECRET, or start a stack once with make up (looked in ${dataDir}).`;
    throw new Failure(EXIT.usage, message);
  }
  const { sub, tenant, scope, app: apps = '*' } = values;
  const minted = await mintToken(secret, { sub, tenant, scope, apps, expiresInSeconds: secondsOf(values.expires) });
  process.stdout.write(`${minted}\n`);
  return EXIT.ok;
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

export function secondsOf(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count === undefined || Number(count) === 0) throw usage(`${text} is no time: write 30s, 15m, 12h or 7d.`);
  return Number(count) * UNITS[unit!]!;
}

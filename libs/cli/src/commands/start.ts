import { readCommandLine } from '../command-line.ts';
import { up } from './up.ts';

const HELP = `toolstream up: start NATS, Postgres and all services, and stay until Ctrl-C

It is configured by the environment: PORT (default 4400), EDGES, EXECUTORS, ORCHESTRATORS, SLOTS, NATS_URL, DATABASE_URL,
TOOLSTREAM_DATA_DIR, TOOLSTREAM_JWT_SECRET, TOOLSTREAM_JWKS_URL, TOOLSTREAM_ALLOWED_ORIGINS, TOOLSTREAM_TOOLS,
TOOLSTREAM_MCP (JSON, or the path of a JSON file), TOOLSTREAM_PARTITIONS, TOOLSTREAM_PROGRESS_HZ,
TOOLSTREAM_ARTIFACTS (s3://bucket/prefix; with TOOLSTREAM_S3_ENDPOINT, TOOLSTREAM_S3_REGION,
TOOLSTREAM_S3_PATH_STYLE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), and RESTART=0 to leave what dies to the caller.`;

export async function start(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  readCommandLine({ name: 'up', help: HELP, positionals: [], options: {} }, args);
  return up(env);
}

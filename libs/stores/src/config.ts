import { z } from 'zod';
import type { S3Settings } from './s3-objects.ts';

const PLACE = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([\w!*'().-]+(?:\/[\w!*'().-]+)*)?\/?)?$/;
const flag = z.enum(['0', '1', 'true', 'false'], 'must be 0 or 1').transform((text) => text === '1' || text === 'true');

/** What every service that opens the stores reads. Spread it into the service's own `z.object({...})`. */
export const storesConfig = {
  /** Where contents live: `nats`, or `s3://bucket` and, optionally, a prefix of the keys. */
  TOOLSTREAM_ARTIFACTS: z
    .string()
    .refine((text) => text === 'nats' || PLACE.test(text), 'must be nats, s3://bucket or s3://bucket/prefix')
    .default('nats'),
  /** Of R2, MinIO and others; absent: AWS. */
  TOOLSTREAM_S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).optional(),
  /** Default: AWS_REGION, else `us-east-1`. R2: `auto`. */
  TOOLSTREAM_S3_REGION: z.string().min(1).optional(),
  /** `endpoint/bucket` in place of `bucket.endpoint`. Default: where an endpoint is set. */
  TOOLSTREAM_S3_PATH_STYLE: flag.optional(),
  /** Absent, both: where the SDK looks for credentials, such as a role of the machine. */
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  AWS_SESSION_TOKEN: z.string().min(1).optional(),
  AWS_REGION: z.string().min(1).optional(),
} as const;

const schema = z.object(storesConfig);
/** The variables; what is absent has its default. */
export type StoresConfig = Partial<z.infer<typeof schema>>;

/** What of the configuration contradicts itself; nothing while contents live in NATS. */
export function storesConfigProblems(config: StoresConfig): { readonly variable: string; readonly problem: string }[] {
  if (!usesS3(config)) return [];
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = config;
  if ((id === undefined) === (secret === undefined)) return [];
  const [given, absent] =
    id === undefined ? ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID'] : ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
  return [
    { variable: absent, problem: `is missing beside ${given}: set both, or none where a role gives credentials` },
  ];
}

export const usesS3 = ({ TOOLSTREAM_ARTIFACTS: place = 'nats' }: StoresConfig): boolean => place !== 'nats';

/** Of a configuration that uses S3. */
export function s3Settings(config: StoresConfig): S3Settings {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: sessionToken } = config;
  const [, bucket, prefix = ''] = PLACE.exec(config.TOOLSTREAM_ARTIFACTS ?? '') ?? [];
  if (bucket === undefined) throw new TypeError('TOOLSTREAM_ARTIFACTS names no bucket.');
  const endpoint = config.TOOLSTREAM_S3_ENDPOINT;
  return {
    bucket,
    prefix,
    endpoint,
    region: config.TOOLSTREAM_S3_REGION ?? config.AWS_REGION ?? 'us-east-1',
    pathStyle: config.TOOLSTREAM_S3_PATH_STYLE ?? endpoint !== undefined,
    ...(id === undefined || secret === undefined
      ? {}
      : { credentials: { accessKeyId: id, secretAccessKey: secret, sessionToken } }),
  };
}

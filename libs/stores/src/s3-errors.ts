import { StoreRefusedError } from './errors.ts';
import type { Verdicts } from './persist.ts';

/** As the SDK throws it: the code of S3's answer as the name, the HTTP status, or a system error's code. */
interface S3Failure {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  /** The region that the bucket is in, where that is what was wrong. */
  readonly Region?: string | undefined;
  readonly $metadata?: { readonly httpStatusCode?: number | undefined } | undefined;
}

const NETWORK =
  /^(ECONN|EPIPE$|ENOTFOUND$|EAI_AGAIN$|ETIMEDOUT$|EHOSTUNREACH$|ENETUNREACH$|ERR_STREAM_PREMATURE_CLOSE$)/;
const LATER: ReadonlySet<string> = new Set([
  'TimeoutError',
  'RequestTimeout',
  'SlowDown',
  'ThrottlingException',
  'OperationAborted',
]);
const NO_ROOM: ReadonlySet<string> = new Set([
  'QuotaExceeded',
  'EntityTooLarge',
  'InsufficientStorage',
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
]);

const failureOf = (error: unknown): S3Failure | undefined =>
  error instanceof Error ? (error as S3Failure) : undefined;
const statusOf = (error: unknown): number | undefined => failureOf(error)?.$metadata?.httpStatusCode;

export const isAbsent = (error: unknown): boolean => ['NotFound', 'NoSuchKey'].includes(failureOf(error)?.name ?? '');

export const isGoneUpload = (error: unknown): boolean => failureOf(error)?.name === 'NoSuchUpload';

function isFull(error: unknown): boolean {
  return NO_ROOM.has(failureOf(error)?.name ?? '') || statusOf(error) === 507;
}

function isTransient(error: unknown): boolean {
  const failure = failureOf(error);
  if (failure === undefined) return false;
  if (LATER.has(failure.name) || NETWORK.test(failure.code ?? '')) return true;
  const status = statusOf(error) ?? 0;
  return status === 429 || (status >= 500 && status !== 501);
}

export const s3Verdicts: Verdicts = { isFull, isTransient };

export interface S3Place {
  readonly bucket: string;
  readonly endpoint: string | undefined;
  readonly region: string;
}

/** What the store does not allow, in a sentence that says which setting to correct; `undefined` for anything else. */
export function refusal(error: unknown, what: string, place: S3Place): StoreRefusedError | undefined {
  const failure = failureOf(error);
  const text = failure && sentence(failure, what, place);
  return text === undefined ? undefined : new StoreRefusedError(text, { cause: error });
}

function sentence(failure: S3Failure, what: string, { bucket, endpoint = 'AWS', region }: S3Place): string | undefined {
  switch (failure.name) {
    case 'NoSuchBucket':
      return `There is no bucket ${bucket} at ${endpoint}. Create it, or correct TOOLSTREAM_ARTIFACTS.`;
    case 'InvalidAccessKeyId':
      return `${endpoint} does not know the access key. Correct AWS_ACCESS_KEY_ID.`;
    case 'SignatureDoesNotMatch':
      return `${endpoint} refuses the signature. Correct AWS_SECRET_ACCESS_KEY (a proxy that changes requests does it too).`;
    case 'ExpiredToken':
    case 'InvalidToken':
      return `${endpoint} refuses the session token. Renew AWS_SESSION_TOKEN, or leave it out with lasting keys.`;
    case 'CredentialsProviderError':
      return 'There are no credentials for S3. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them.';
    case 'RequestTimeTooSkewed':
      return `The clock of this machine differs too much from that of ${endpoint}. Set it right.`;
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
    case 'IllegalLocationConstraintException': {
      const right = failure.Region === undefined ? 'its region' : failure.Region;
      return `The bucket ${bucket} is not in the region ${region}. Set TOOLSTREAM_S3_REGION to ${right}.`;
    }
    default:
      return other(failure, what, bucket, endpoint);
  }
}

function other(failure: S3Failure, what: string, bucket: string, endpoint: string): string | undefined {
  const status = failure.$metadata?.httpStatusCode ?? 0;
  if (status === 403) {
    return (
      `${endpoint} does not allow ${what} in the bucket ${bucket}. Grant these keys s3:ListBucket on it, and s3:GetObject, ` +
      's3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on what is in it.'
    );
  }
  if (status < 400 || status > 499 || isAbsent(failure) || isGoneUpload(failure)) return undefined;
  return `${endpoint} refuses ${what} in the bucket ${bucket}: ${failure.name}: ${failure.message} Check the keys and the bucket.`;
}

import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

const SECRET_NAMES = ['token', 'authorization', 'cookie', 'password', 'secret', 'ticket', 'jid', 'jwt', 'seed'];
const secretPaths = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

const REDACTED = '[redacted]';
const SECRETS_IN_TEXT: readonly [RegExp, string][] = [
  [/([?&#](?:ticket|token|access_token|jid)=)[^&#"\s\\]+/gi, `$1${REDACTED}`],
  [/(anycable-token\.)[\w.-]+/gi, `$1${REDACTED}`],
  [/\b(bearer )[\w.~+/-]+=*/gi, `$1${REDACTED}`],
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, REDACTED],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/?#@"\\]+@/gi, `$1${REDACTED}@`],
];

/** Takes tokens, tickets and passwords out of a text, whatever address, header or error message they came in with. */
export function redact(text: string): string {
  return SECRETS_IN_TEXT.reduce((clean, [pattern, by]) => clean.replace(pattern, by), text);
}

export interface LoggerOptions {
  readonly name: string;
  readonly level?: string;
  readonly instance?: string;
  /** Default: the standard output, synchronously, so that the last line before an exit is never lost. */
  readonly destination?: DestinationStream;
}

/**
 * JSON lines. Secrets are taken out twice: values under a secret's name, and tokens anywhere in the finished line, so
 * that an address in an error message leaks nothing either.
 */
export function createLogger({ name, level = 'info', instance, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service: name, ...(instance === undefined ? {} : { instance }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretPaths, censor: REDACTED },
    hooks: { streamWrite: redact },
    serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

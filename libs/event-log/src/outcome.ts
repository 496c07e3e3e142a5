/** What the answer to a publish or an API request means. The only place that knows the server's codes. */
export type Outcome =
  | { kind: 'stored'; seq: number; duplicate: boolean }
  /** The fence failed (10071); `actual` is in the server's text, where it is. */
  | { kind: 'fenced'; actual?: number }
  /** Settled soon (another message on the subject, or the first try of this one, is in flight) or no leader now: send again. */
  | { kind: 'again'; reason: string }
  | { kind: 'full'; reason: string }
  | { kind: 'absent' }
  | { kind: 'rejected'; reason: string };

export interface ApiError {
  code?: number;
  err_code?: number;
  description?: string;
}

const WRONG_LAST_SEQUENCE = 10071;
/** R3: a message on this subject is in flight, so the fence cannot be judged yet. */
const WRONG_LAST_SEQUENCE_UNKNOWN = 10164;
/** R3: the first try of this message id is in flight. */
const DUPLICATE_IN_FLIGHT = 10158;
const STORE_FAILED = 10077;
const NO_MESSAGE_FOUND = 10037;
/** Account, server or cluster is out of its JetStream resources. */
const OUT_OF_RESOURCES = new Set([10002, 10023, 10028, 10047]);
/** JetStream is not enabled for the account: also seen while a server starts. */
const NOT_ENABLED = 10039;

export function outcomeOfError(error: ApiError): Outcome {
  const reason = error.description ?? 'no description';
  switch (error.err_code) {
    case WRONG_LAST_SEQUENCE: {
      const actual = /: (\d+)$/.exec(reason)?.[1];
      return actual === undefined ? { kind: 'fenced' } : { kind: 'fenced', actual: Number(actual) };
    }
    case WRONG_LAST_SEQUENCE_UNKNOWN:
    case DUPLICATE_IN_FLIGHT:
    case NOT_ENABLED:
      return { kind: 'again', reason };
    case NO_MESSAGE_FOUND:
      return { kind: 'absent' };
    case STORE_FAILED:
      return /maximum|no space/i.test(reason) ? { kind: 'full', reason } : { kind: 'again', reason };
    default:
  }
  if (error.err_code !== undefined && OUT_OF_RESOURCES.has(error.err_code)) return { kind: 'full', reason };
  if (error.code !== undefined && (error.code === 429 || error.code >= 500)) return { kind: 'again', reason };
  return { kind: 'rejected', reason: `${reason} (${error.err_code ?? error.code ?? 'no code'})` };
}

/** The body of a PubAck, or of the error in its place. */
export function outcomeOfPublish(body: string): Outcome {
  let ack: { seq?: number; duplicate?: boolean; error?: ApiError };
  try {
    ack = JSON.parse(body) as typeof ack;
  } catch {
    return { kind: 'rejected', reason: `the answer is no JetStream acknowledgement: ${body.slice(0, 80)}` };
  }
  if (ack.error) return outcomeOfError(ack.error);
  if (typeof ack.seq !== 'number') return { kind: 'rejected', reason: 'the acknowledgement has no sequence' };
  return { kind: 'stored', seq: ack.seq, duplicate: ack.duplicate === true };
}

import {
  HEADER_ID,
  HEADER_JOB,
  HEADER_LAST_SEQUENCE,
  HEADER_SEQUENCE,
  HEADER_SUBJECT,
  HEADER_TYPE,
} from '@toolstream/proto-events';

/** What a reader of events needs of a message's headers. Which of the last five there are depends on where it came from. */
export interface EventHeaders {
  id: string;
  type: string;
  job: string;
  seq: number;
  lastSeq: number | undefined;
  subject: string;
  time: number | undefined;
  /** Direct get of a page: matching messages behind this one. */
  pending: number | undefined;
}

/** One pass over all headers: each lookup through the client's own class lists every name anew. */
export function eventHeaders(headers: Iterable<readonly [string, readonly string[]]> | undefined): EventHeaders {
  const found: EventHeaders = {
    id: '',
    type: '',
    job: '',
    seq: 0,
    lastSeq: undefined,
    subject: '',
    time: undefined,
    pending: undefined,
  };
  for (const [name, values] of headers ?? []) {
    const value = values[0] ?? '';
    switch (name) {
      case HEADER_ID:
        found.id = value;
        break;
      case HEADER_TYPE:
        found.type = value;
        break;
      case HEADER_JOB:
        found.job = value;
        break;
      case HEADER_SEQUENCE:
        found.seq = Number(value);
        break;
      case HEADER_LAST_SEQUENCE:
        found.lastSeq = Number(value);
        break;
      case HEADER_SUBJECT:
        found.subject = value;
        break;
      case 'Nats-Time-Stamp':
        found.time = Date.parse(value);
        break;
      case 'Nats-Num-Pending':
        found.pending = Number(value);
        break;
      default:
    }
  }
  return found;
}

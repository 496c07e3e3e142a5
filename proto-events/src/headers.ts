/** Headers that let a reader route an event without decoding its payload. */
export const HEADER_ID = 'Ts-Id';
export const HEADER_TYPE = 'Ts-Type';
/** On every event of an attempt: the id of the job that it runs for. */
export const HEADER_JOB = 'Ts-Job';
/** Set by the server on republished and directly read messages. */
export const HEADER_SEQUENCE = 'Nats-Sequence';
export const HEADER_LAST_SEQUENCE = 'Nats-Last-Sequence';
export const HEADER_SUBJECT = 'Nats-Subject';

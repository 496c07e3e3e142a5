import { decodeEvent, type EventAddress, parseEventSubject, type ToolstreamEvent } from '@toolstream/proto-events';

const decoder = new TextDecoder();

/** An event as it lies in the log. Routing needs only the headers; the payload is decoded when somebody asks. */
export interface StoredEvent {
  /** Stream sequence: the event's place in its partition. */
  readonly seq: number;
  /** The subject it is stored on (`ts.evt.…`), also for live messages. */
  readonly subject: string;
  readonly type: string;
  readonly id: string;
  /** The job of the attempt that wrote it. */
  readonly job?: string;
  /** Live messages only: sequence of the previous event on the same subject, 0 if there is none. */
  readonly lastSeq?: number;
  /** When the server stored it, in ms since 1970. */
  readonly time?: number;
  /** The bytes as they were appended. */
  readonly data: Uint8Array;
  text(): string;
  event(): ToolstreamEvent;
  address(): EventAddress;
}

export interface EventPlace {
  seq: number;
  subject: string;
  lastSeq?: number | undefined;
  time?: number | undefined;
}

export interface EventNames {
  type: string;
  id: string;
  job: string;
}

export class StoredEventMessage implements StoredEvent {
  readonly seq: number;
  readonly subject: string;
  readonly type: string;
  readonly id: string;
  readonly job?: string;
  readonly lastSeq?: number;
  readonly time?: number;
  readonly data: Uint8Array;
  #text: string | undefined;
  #event: ToolstreamEvent | undefined;
  #address: EventAddress | undefined;

  constructor(place: EventPlace, names: EventNames, data: Uint8Array) {
    this.seq = place.seq;
    this.subject = place.subject;
    if (place.lastSeq !== undefined) this.lastSeq = place.lastSeq;
    if (place.time !== undefined) this.time = place.time;
    this.type = names.type;
    this.id = names.id;
    if (names.job !== '') this.job = names.job;
    this.data = data;
  }

  text(): string {
    this.#text ??= decoder.decode(this.data);
    return this.#text;
  }

  event(): ToolstreamEvent {
    this.#event ??= decodeEvent(this.text());
    return this.#event;
  }

  address(): EventAddress {
    this.#address ??= parseEventSubject(this.subject);
    if (!this.#address) throw new TypeError(`no event subject: ${this.subject}`);
    return this.#address;
  }
}

const encoder = new TextEncoder();

export const encodeEvent = (event: ToolstreamEvent): Uint8Array => encoder.encode(JSON.stringify(event));

import type { PathRefusal } from '@toolstream/proto-events';
import type { Change, Deletion, FileVersion } from './file-version.ts';

/** What went wrong with a file or an artifact: a stable code, and a sentence that says what to do. */
export class StoreError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A path that is refused: see {@link PathRefusal}. */
export class PathError extends StoreError {
  constructor(code: PathRefusal['code'], message: string) {
    super(code, message);
  }
}

/** The file is not at the revision that the writer had read. Nothing was changed; `current` is what is there now. */
export class WorkspaceConflictError extends StoreError {
  readonly path: string;
  readonly expectedRevision: number;
  readonly current: FileVersion | undefined;
  /** Whose deletion, where that was the last change. */
  readonly deletion: Deletion | undefined;

  constructor(path: string, expectedRevision: number, current: FileVersion | undefined, deletion?: Deletion) {
    const now = current ? `it was last written by ${call(current.entry)}` : gone(deletion);
    const text = `The file ${path} is not as it was read: ${now}. Read it again, then decide anew.`;
    super('workspace_conflict', text);
    this.path = path;
    this.expectedRevision = expectedRevision;
    this.current = current;
    this.deletion = deletion;
  }
}

const call = ({ run, index, attempt }: Change): string => `run ${run}, call ${index}, attempt ${attempt}`;

function gone(deletion: Deletion | undefined): string {
  if (deletion === undefined) return 'it does not exist';
  return deletion.moved_to === undefined
    ? `it was deleted by ${call(deletion)}`
    : `it was renamed to ${deletion.moved_to} by ${call(deletion)}`;
}

/** The server did not answer within the deadline. A write may or may not have landed: read before repeating it. */
export class StoreUnavailableError extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('unavailable', message, options);
  }
}

/** The store is there and says no: to these keys, in this bucket. Waiting does not help, another setting does. */
export class StoreRefusedError extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('store_refused', message, options);
  }
}

/** Everything that keeps the stores from being opened. */
export class StoresStartError extends StoreError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('stores_unusable', `The stores cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

export class StoreFullError extends StoreError {
  constructor(what: string, options?: ErrorOptions) {
    super('store_full', `There is no room for ${what}. Free space, or raise the limit of its bucket.`, options);
  }
}

/** The content is not (or no longer) what its entry says: deleted meanwhile, or damaged. */
export class ContentMissingError extends StoreError {
  constructor(name: string, problem: string) {
    super('content_missing', `The content ${name} cannot be read: ${problem}. Read the entry again, then the content.`);
  }
}

export class ContentTooLargeError extends StoreError {
  constructor(name: string, size: number, limit: number) {
    super('content_too_large', `${name} has ${size} bytes, more than the ${limit} asked for. Read it as a stream.`);
  }
}

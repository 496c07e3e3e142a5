/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Something that the supervisor keeps alive: a service's process, or one of the embedded servers. */
export interface Supervised {
  readonly name: string;
  readonly logFile: string;
  /** The real process, not a wrapper. Undefined while there is none. */
  readonly pid: number | undefined;
  /** Resolves when it is ready for work; rejects when it ends before. */
  start(): Promise<void>;
  /** Asks politely, then insists. Returns when the process is gone; stopping what does not run is not an error. */
  stop(): Promise<void>;
  kill9(): Promise<void>;
  /** Told when a process that was ready ends without being asked. */
  onUnexpectedExit(listener: (exit: Exit) => void): void;
}

/** A start that cannot succeed by being repeated. */
export class StartFailed extends Error {
  readonly code = 'start_failed';
  readonly permanent: boolean;

  constructor(message: string, permanent: boolean) {
    super(message);
    this.name = 'StartFailed';
    this.permanent = permanent;
  }
}

export function describeExit({ code, signal }: Exit): string {
  return signal ? `was killed by ${signal}` : `ended with exit code ${code}`;
}

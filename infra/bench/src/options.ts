export interface BenchOptions {
  /** Fewer and shorter rounds: for a look, not for a verdict. */
  readonly quick: boolean;
  /** Told what is being done, one line at a time. */
  readonly say: (line: string) => void;
}

/**
 * Whether deliveries of a partition's consumer came without interruption. The consumer counts every delivery to anyone, so
 * a number that follows the one before proves that nothing was lost and that no other replica was served in between.
 */
export class Feeds {
  readonly #last: number[] = [];
  readonly #current: number[] = [];

  /** Number of the uninterrupted feed that this partition is in; 0 before the first delivery. */
  current(partition: number): number {
    return this.#current[partition] ?? 0;
  }

  /** Notes a delivery and returns the number of the feed that it belongs to. */
  delivered(partition: number, deliverySeq: number): number {
    if (this.#last[partition] !== deliverySeq - 1) this.#current[partition] = this.current(partition) + 1;
    this.#last[partition] = deliverySeq;
    return this.current(partition);
  }
}

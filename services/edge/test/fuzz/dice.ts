import { seeded } from '../seeded.ts';

/** Seeded chance: the same seed gives the same inputs, in the same order. */
export class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  /** 0 up to, not including, `below`. */
  int(below: number): number {
    return Math.floor(this.#random() * below);
  }

  chance(of100: number): boolean {
    return this.int(100) < of100;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.int(256)));
  }

  /** Characters from every corner of Unicode, unpaired surrogates among them. */
  text(length: number): string {
    const corners = [
      0x20, 0x7f, 0x80, 0x7ff, 0x800, 0xd800, 0xdc00, 0xfeff, 0xffff, 0x1f600, 0x10ffff, 0, 0x0a, 0x2028,
    ];
    return Array.from({ length }, () =>
      String.fromCodePoint(this.chance(40) ? this.pick(corners) : 0x20 + this.int(0x5f)),
    ).join('');
  }

  /** A seed for a part of the work, so that parts do not depend on each other's length. */
  fork(): Dice {
    return new Dice(this.int(2 ** 32));
  }
}

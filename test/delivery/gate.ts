/** Writers pass together; whoever changes the ground beneath them (a stream made anew) passes alone. */
export class Gate {
  #inside = 0;
  #closed: Promise<void> | undefined = undefined;
  #emptied: (() => void) | undefined;

  async shared<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed;
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#inside--;
      if (this.#inside === 0) this.#emptied?.();
    }
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    try {
      if (this.#inside > 0) {
        await new Promise<void>((done) => {
          this.#emptied = done;
        });
      }
      return await work();
    } finally {
      this.#emptied = undefined;
      this.#closed = undefined;
      resolve();
    }
  }
}

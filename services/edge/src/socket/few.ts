/**
 * A map, in the order of insertion, for what is nearly always one thing for each of many thousand: only the second makes a
 * real one.
 */
export class Few<V extends { readonly key: string }> {
  #first: V | undefined;
  #others: Map<string, V> | undefined;

  get size(): number {
    return (this.#first ? 1 : 0) + (this.#others?.size ?? 0);
  }

  get first(): V | undefined {
    return this.#first;
  }

  get(key: string): V | undefined {
    return this.#first?.key === key ? this.#first : this.#others?.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Last, unless there is one with this key, whose place it takes. */
  set(value: V): void {
    if (!this.#first || this.#first.key === value.key) {
      this.#first = value;
      return;
    }
    this.#others ??= new Map();
    this.#others.set(value.key, value);
  }

  /** This very one. */
  delete(value: V): void {
    const { key } = value;
    if (this.#first !== value) {
      if (this.#others?.get(key) === value) this.#others.delete(key);
      return;
    }
    const [next] = this.#others ?? [];
    this.#first = next?.[1];
    if (next) this.#others!.delete(next[0]);
  }

  /** As they are now. */
  values(): V[] {
    return this.#first ? [this.#first, ...(this.#others?.values() ?? [])] : [];
  }
}

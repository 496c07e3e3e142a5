import type { RunState, ToolState } from '@toolstream/proto-events';

interface Checkpoint {
  readonly index: number;
  readonly state: RunState;
}

const STRIDE = 256;
const CALL_WEIGHT = 1_000;

/**
 * States kept at regular distances, so that any moment is a short fold away. States share what did not change between them;
 * what is weighed is what they do not share. Over the limits every other one goes and the distance doubles.
 */
export class Checkpoints {
  readonly #limits: { readonly count: number; readonly weight: number };
  #kept: Checkpoint[] = [];
  #stride = STRIDE;
  #weight = 0;

  constructor(limits = { count: 256, weight: 32 * 1024 * 1024 }) {
    this.#limits = limits;
  }

  get stride(): number {
    return this.#stride;
  }

  get count(): number {
    return this.#kept.length;
  }

  /** The state after the event at this index; kept if it is its turn. */
  offer(index: number, state: RunState): void {
    if (index % this.#stride !== 0) return;
    this.#weight += weightOf(state, this.#kept.at(-1)?.state);
    this.#kept.push({ index, state });
    while (this.#kept.length > 2 && (this.#kept.length > this.#limits.count || this.#weight > this.#limits.weight))
      this.#thin();
  }

  /** The newest one at or before this index. */
  before(index: number): Checkpoint | undefined {
    const slot = Math.min(Math.floor(index / this.#stride), this.#kept.length - 1);
    return this.#kept[slot];
  }

  #thin(): void {
    this.#stride *= 2;
    this.#kept = this.#kept.filter(({ index }) => index % this.#stride === 0);
    this.#weight = this.#kept.reduce((sum, { state }, at) => sum + weightOf(state, this.#kept[at - 1]?.state), 0);
  }
}

const weightOf = (state: RunState, before: RunState | undefined): number =>
  state.tools.reduce((sum, tool, index) => sum + (tool === before?.tools[index] ? 0 : weightOfCall(tool)), 0);

const weightOfCall = (tool: ToolState): number =>
  CALL_WEIGHT + (tool.output?.reduce((sum, { text }) => sum + text.length, 0) ?? 0);

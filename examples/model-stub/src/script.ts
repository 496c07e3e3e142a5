/** One answer of the model: words, calls of tools, or both. Arguments that are a string are sent as they are, broken or not. */
export interface Turn {
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly arguments: object | string }[];
}

/** Makes the next answer of what the tools said since the last one; called once a turn, in order. */
export type Script = (results: readonly Result[], turn: number) => Turn;

/** What the model was told of one of its calls. */
export interface Result {
  readonly id: string;
  readonly content: string;
  /** Where the API has a sign for it. */
  readonly isError?: boolean;
}

/** A call as it was sent, with the id by which it must be answered. */
export interface SentCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface SentTurn {
  readonly text: string;
  readonly calls: readonly SentCall[];
}

import { createHash } from 'node:crypto';
import { type InputRequest, inputRequest, type Json, json } from '@toolstream/proto-events';
import { schemaCheck } from '@toolstream/tool-kit';
import { z } from 'zod';

/** The argument in which an approver gives what the server asked for. */
export const ANSWER_ARGUMENT = '_elicitation';

const memory = z.object({
  elicitation: z.object({
    /** What the last attempt was asked and could not answer. */
    asked: inputRequest,
    /** What persons answered before, by question. */
    answers: z.record(z.string(), json),
  }),
});
type Memory = z.infer<typeof memory>['elicitation'];

export type Content = Record<string, string | number | boolean | string[]>;

/**
 * What a server may be told in the course of one attempt. A question is answered only by a person: with the argument that an
 * approver wrote after the same question had ended an earlier attempt, or with what was answered to it in an earlier one.
 * Nothing that a model puts into the argument by itself counts.
 */
export class Answers {
  readonly #memory: Memory | undefined;
  readonly #given: Json | undefined;
  readonly #answers: Record<string, Json>;
  #open: InputRequest | undefined;

  constructor(checkpoint: Json | undefined, given: Json | undefined) {
    const kept = memory.safeParse(checkpoint);
    this.#memory = kept.success ? kept.data.elicitation : undefined;
    this.#answers = { ...this.#memory?.answers };
    this.#given = given;
  }

  /** The answer, or `undefined`: the call has to end and ask. */
  answer(message: string, schema: Json): Content | undefined {
    const key = keyOf(message, schema);
    const known = this.#answers[key];
    if (known !== undefined) return known as Content;
    const wasAsked = this.#memory !== undefined && keyOf(this.#memory.asked.message, this.#memory.asked.schema) === key;
    const given = wasAsked ? (this.#given ?? {}) : undefined;
    if (given !== undefined && fits(given, schema)) {
      this.#answers[key] = given;
      return given as Content;
    }
    this.#open ??= { message, schema };
    return undefined;
  }

  /** What was asked and not answered. */
  get open(): InputRequest | undefined {
    return this.#open;
  }

  /** For the next attempt. */
  get state(): Json {
    return { elicitation: { asked: this.#open as unknown as Json, answers: this.#answers } };
  }
}

const keyOf = (message: string, schema: Json | undefined): string =>
  createHash('sha256')
    .update(JSON.stringify([message.slice(0, 4096), schema ?? null]))
    .digest('base64url');

function fits(content: Json, schema: Json): boolean {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return false;
  try {
    return (
      schemaCheck({ type: 'object', ...(schema as { [key: string]: Json }) }, ANSWER_ARGUMENT)(content) === undefined
    );
  } catch {
    // The server checks it anyway.
    return true;
  }
}

import { isArtifactRef, type Json, type ToolDefinition } from '@toolstream/proto-events';
import { type SchemaCheck, schemaCheck } from '@toolstream/tool-kit';
import { LRUCache } from 'lru-cache';

const SCHEMAS_KEPT = 1_000;

/**
 * Checks arguments against the JSON Schema of a tool, as executors do, compiled once per schema text. What cannot be
 * checked here passes and is left to the executor, which checks again: arguments that are an artifact, and a schema that is none.
 */
export class ArgumentValidator {
  readonly #compiled = new LRUCache<string, { check: SchemaCheck | undefined }>({ max: SCHEMAS_KEPT });
  /** A definition object is replaced when it changes, so its schema's text is made once. */
  readonly #texts = new WeakMap<ToolDefinition, string>();
  readonly #onBrokenSchema: (tool: string, error: unknown) => void;

  constructor(onBrokenSchema: (tool: string, error: unknown) => void) {
    this.#onBrokenSchema = onBrokenSchema;
  }

  /** Why the arguments do not fit, or `undefined`. */
  problem(definition: ToolDefinition, args: Json): string | undefined {
    if (isArtifactRef(args)) return undefined;
    const problem = this.#checkOf(definition)?.(args);
    return problem && `The arguments do not fit the schema of ${definition.name}: ${problem}.`;
  }

  #checkOf(definition: ToolDefinition): SchemaCheck | undefined {
    let text = this.#texts.get(definition);
    if (text === undefined) {
      text = JSON.stringify(definition.input_schema);
      this.#texts.set(definition, text);
    }
    const known = this.#compiled.get(text);
    if (known) return known.check;
    const check = this.#compile(definition);
    this.#compiled.set(text, { check });
    return check;
  }

  #compile(definition: ToolDefinition): SchemaCheck | undefined {
    try {
      return schemaCheck(definition.input_schema, 'arguments');
    } catch (error) {
      this.#onBrokenSchema(definition.name, error);
      return undefined;
    }
  }
}

import { isArtifactRef, type Json, type ToolDefinition } from '@toolstream/proto-events';
import { Ajv } from 'ajv';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { LRUCache } from 'lru-cache';

/** Problems named in a message; more would not help whoever reads it. */
const MOST_PROBLEMS = 3;
const SCHEMAS_KEPT = 1_000;
/** What generators of MCP servers still write. */
const DRAFT_7 = /^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/;

/**
 * Checks arguments against the JSON Schema of a tool (2020-12, or draft 07 where it says so), compiled once per schema text. What cannot be checked here
 * passes and is left to the executor, which checks again: arguments that are an artifact, and a schema that is none.
 */
export class ArgumentValidator {
  readonly #compiled = new LRUCache<string, { check: ValidateFunction | undefined }>({ max: SCHEMAS_KEPT });
  /** A definition object is replaced when it changes, so its schema's text is made once. */
  readonly #texts = new WeakMap<ToolDefinition, string>();
  readonly #onBrokenSchema: (tool: string, error: unknown) => void;

  constructor(onBrokenSchema: (tool: string, error: unknown) => void) {
    this.#onBrokenSchema = onBrokenSchema;
  }

  /** Why the arguments do not fit, or `undefined`. */
  problem(definition: ToolDefinition, args: Json): string | undefined {
    if (isArtifactRef(args)) return undefined;
    const check = this.#checkOf(definition);
    if (!check || check(args)) return undefined;
    const errors = check.errors ?? [];
    const named = errors.slice(0, MOST_PROBLEMS).map(({ instancePath, message, params }) => {
      const extra = 'additionalProperty' in params ? ` (${String(params.additionalProperty)})` : '';
      return `arguments${instancePath} ${message ?? 'do not fit'}${extra}`;
    });
    const more = errors.length > named.length ? `; and ${errors.length - named.length} more` : '';
    return `The arguments do not fit the schema of ${definition.name}: ${named.join('; ')}${more}.`;
  }

  #checkOf(definition: ToolDefinition): ValidateFunction | undefined {
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

  /** An instance per schema: two tools may give the same `$id` to different schemas. */
  #compile(definition: ToolDefinition): ValidateFunction | undefined {
    try {
      const { $schema } = definition.input_schema;
      const Dialect = typeof $schema === 'string' && DRAFT_7.test($schema) ? Ajv : Ajv2020;
      const ajv = new Dialect({ strict: false, allErrors: true, logger: false });
      formats.default(ajv);
      return ajv.compile(definition.input_schema);
    } catch (error) {
      this.#onBrokenSchema(definition.name, error);
      return undefined;
    }
  }
}

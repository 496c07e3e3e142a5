import { z } from 'zod';
import { problemSchema } from '../problems.ts';
import { type Answer, type AnyRoute, route } from './route.ts';

type JsonObject = Record<string, unknown>;

/** `/openapi.json`: made from the very schemas that the routes check with. */
export function openApiRoute(others: readonly AnyRoute[]): AnyRoute {
  let text: string | undefined;
  const self: AnyRoute = route({
    method: 'GET',
    url: '/openapi.json',
    tag: 'service',
    summary: 'This document',
    scope: 'none',
    answers: { 200: { description: 'OpenAPI 3.1' } },
    handle: ({ reply }) => {
      text ??= JSON.stringify(openApi([...others, self]));
      reply.header('Content-Type', 'application/json; charset=utf-8');
      return text;
    },
  });
  return self;
}

export function openApi(routes: readonly AnyRoute[]): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const definition of routes) {
    const path = definition.url.replaceAll(/:(\w+)/g, '{$1}').replace('/*', '/{path}');
    paths[path] = { ...paths[path], [definition.method.toLowerCase()]: operation(definition) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Toolstream',
      version: '1',
      description:
        "Durable, replayable, live streaming of AI agents' tool calls. Live frames: GET /ws (WebSocket) or SSE.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    tags: ['runs', 'control', 'tools', 'files', 'service'].map((name) => ({ name })),
  };
}

function operation(definition: AnyRoute): JsonObject {
  const { tag, summary, scope, answers } = definition;
  const body = definition.documentedBody ?? definition.body;
  const open = scope === 'none';
  return {
    tags: [tag],
    summary,
    ...(open ? {} : { security: [{ bearer: scope === 'any' ? [] : [scope] }] }),
    ...parameters(definition),
    ...(body
      ? {
          requestBody: {
            required: definition.documentedBody !== undefined,
            content: { 'application/json': { schema: jsonSchema(body, 'input') } },
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answered(answer)])),
      ...(open ? {} : { default: problem }),
    },
  };
}

const problem = {
  description: 'Refused: `code` says why, `help` what to do',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

function answered({ description, schema, contentType = 'application/json', headers }: Answer): JsonObject {
  return {
    description,
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }]),
          ),
        }),
    content: { [contentType]: schema ? { schema: jsonSchema(schema, 'output') } : {} },
  };
}

function parameters(definition: AnyRoute): JsonObject {
  const list = [
    ...fields(definition.params).map((field) => ({ ...field, in: 'path', required: true })),
    ...(definition.url.endsWith('/*')
      ? [{ name: 'path', in: 'path', required: true, schema: { type: 'string' } }]
      : []),
    ...fields(definition.query).map((field) => ({ ...field, in: 'query' })),
    ...(definition.tokenInQuery
      ? [
          {
            name: 'token',
            in: 'query',
            required: false,
            schema: { type: 'string' },
            description: 'The token, where no header can be sent',
          },
        ]
      : []),
    ...(definition.idempotent
      ? [
          {
            name: 'Idempotency-Key',
            in: 'header',
            required: false,
            schema: { type: 'string', minLength: 1, maxLength: 255 },
            description: 'A repeated request with the same key is answered, not done again',
          },
        ]
      : []),
  ];
  return list.length === 0 ? {} : { parameters: list };
}

function fields(schema: z.ZodType | undefined): { name: string; required: boolean; schema: unknown }[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: JsonObject;
    required?: string[];
  };
  return Object.entries(properties).map(([name, field]) => ({
    name,
    required: required.includes(name),
    schema: field,
  }));
}

/** Recursive JSON values are simply any value: their expansion says nothing to a reader. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const {
    $schema: _,
    $defs: _defs,
    ...rest
  } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    reused: 'inline',
    cycles: 'ref',
    override: ({ zodSchema, jsonSchema: made }) => {
      if (zodSchema._zod.def.type === 'lazy') for (const key of Object.keys(made)) delete (made as JsonObject)[key];
    },
  }) as JsonObject;
  return withoutDefinitions(rest) as JsonObject;
}

function withoutDefinitions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefinitions);
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value && typeof value.$ref === 'string' && value.$ref.startsWith('#/$defs/')) return {};
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutDefinitions(member)]));
}

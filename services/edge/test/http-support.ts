import { expect } from 'vitest';
import type { TestEdge } from './harness.ts';

export type PostInit = RequestInit & { token?: string };

export const postTo = (edge: TestEdge, path: string, body?: unknown, init: PostInit = {}): Promise<Response> =>
  edge.fetch(path, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...init });

/** The body of a refusal, which is a whole problem document. */
export async function problem(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const body = (await response.json()) as Record<string, unknown>;
  expect(body).toMatchObject({ status: response.status, type: expect.any(String), title: expect.any(String) });
  expect(body).toMatchObject({ detail: expect.any(String), help: expect.any(String) });
  return body;
}

/** A tool call as a request has it. */
export const native = { id: 'a', name: 'echo', arguments: { x: 1 } };

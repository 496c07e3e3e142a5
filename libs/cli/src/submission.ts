import { readFileSync } from 'node:fs';
import { callsOf, type SubmitRequest } from '@toolstream/client';
import { usage } from './exit-codes.ts';

export interface SubmissionFlags {
  readonly app?: string | undefined;
  readonly mode?: string | undefined;
  readonly 'message-id'?: string | undefined;
}

/** `-` is standard input. */
export function readInput(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw usage(`${file} cannot be read: ${(error as Error).message}.`);
  }
}

/** A body of `POST /v1/runs`, or what a model API answered with; flags win over what the body says. */
export function submissionOf(text: string, name: string, flags: SubmissionFlags): SubmitRequest {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw usage(`${name} is no JSON: ${(error as Error).message}.`);
  }
  const given: Partial<SubmitRequest> = isSubmission(body) ? body : {};
  const app = flags.app ?? given.app;
  if (app === undefined) throw usage(`${name} names no app: add one with --app.`);
  const tool_calls = isSubmission(body) ? body.tool_calls : callsIn(body, name);
  if (tool_calls.length === 0) throw usage(`${name} asks for no tool calls.`);
  if (flags.mode !== undefined && flags.mode !== 'sequential' && flags.mode !== 'parallel') {
    throw usage(`${flags.mode} is no mode: choose sequential or parallel.`);
  }
  return {
    ...given,
    app,
    ...(flags.mode === undefined ? {} : { mode: flags.mode }),
    ...(flags['message-id'] === undefined ? {} : { message_id: flags['message-id'] }),
    tool_calls,
  };
}

/** Of the body's own fields only the calls and the app are looked at here: the service checks the rest, and says more. */
function isSubmission(body: unknown): body is SubmitRequest {
  const { app, tool_calls } = (body ?? {}) as { app?: unknown; tool_calls?: unknown };
  return typeof app === 'string' && Array.isArray(tool_calls);
}

function callsIn(answer: unknown, name: string): SubmitRequest['tool_calls'] {
  try {
    return callsOf(answer);
  } catch (error) {
    throw usage(`${name}: ${(error as Error).message}`);
  }
}

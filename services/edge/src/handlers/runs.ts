import { type CallResult, callResults, RESULT_FORMATS, toMessages, toSnapshot } from '@toolstream/domain';
import {
  acceptedRun,
  json,
  partitionOfRun,
  type RequestedCall,
  type RunAddress,
  type RunPlan,
  runListItem,
  runState,
  runStatus,
  runSubject,
  runsQuery,
  submitBody,
  token,
} from '@toolstream/proto-events';
import { z } from 'zod';
import { requireApp, requireScope } from '../auth/principal.ts';
import { resolveCursor } from '../feeds/cursors.ts';
import { Refusal } from '../problems.ts';
import { idempotencyKey } from '../requests/idempotency.ts';
import { resolved } from '../requests/resolved.ts';
import { parseSubmission, type Submission } from '../requests/submission.ts';
import { submitRun } from '../requests/submit.ts';
import type { Services } from '../services.ts';
import { logReaches, projectionReaches, runOf, runParams } from './access.ts';
import { type AnyRoute, type Call, route } from './route.ts';

const utc = (time: string): string => new Date(time).toISOString();
const cursorText = z.string().min(1).max(4096);
const listQuery = z.object({
  app: token.optional(),
  status: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(runStatus).min(1))
    .optional(),
  message_id: token.optional(),
  tool: runsQuery.shape.tool,
  since: z.iso.datetime({ offset: true }).transform(utc).optional(),
  until: z.iso.datetime({ offset: true }).transform(utc).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z.string().min(1).max(1024).optional(),
  min_cursor: cursorText.optional(),
});
const snapshotSchema = runState.extend({ cursor: z.string() });
const created = {
  description: 'The run as it was accepted',
  schema: acceptedRun,
  headers: { 'Idempotent-Replayed': '`true` when the answer repeats that of an earlier request' },
};

export function runRoutes(services: Services): AnyRoute[] {
  const { projection, reader, artifacts, log } = services;

  return [
    route({
      method: 'POST',
      url: '/v1/runs',
      tag: 'runs',
      summary: 'Hand over the tool calls of one turn',
      scope: 'runs:write',
      idempotent: true,
      documentedBody: submitBody,
      answers: { 201: created },
      handle: async (call) => {
        const submission = parseSubmission(call.body);
        requireApp(call.principal, submission.app);
        return submit(services, call, submission);
      },
    }),

    route({
      method: 'GET',
      url: '/v1/runs',
      tag: 'runs',
      summary: 'List runs, newest first',
      scope: 'runs:read',
      query: listQuery,
      answers: {
        200: { description: 'One page', schema: z.object({ runs: z.array(runListItem), next: z.string().optional() }) },
      },
      handle: async ({ principal, query }) => {
        const { min_cursor, ...filter } = query;
        if (filter.app !== undefined) requireApp(principal, filter.app);
        await projectionReaches(services, min_cursor);
        return projection.runs({ tenant: principal.tenant, apps: principal.apps, ...filter });
      },
    }),

    route({
      method: 'GET',
      url: '/v1/runs/:id',
      tag: 'runs',
      summary: "A run's state",
      scope: 'runs:read',
      params: runParams,
      query: z.object({ min_cursor: cursorText.optional(), at: cursorText.optional() }),
      answers: {
        200: { description: 'The snapshot; with `at` (scope admin) as it was at that cursor', schema: snapshotSchema },
      },
      handle: async ({ principal, params, query }) => {
        const address = await runOf(services, principal, params.id);
        const partition = partitionOfRun(params.id)!;
        if (query.at !== undefined) requireScope(principal, 'admin');
        await logReaches(services, query.min_cursor);
        const state =
          query.at === undefined
            ? await reader.read(address)
            : await reader.readAt(address, await seqOf(query.at, partition));
        if (!state) throw new Refusal('not_found', 'There is no such run.');
        return toSnapshot(state, log.cursor(partition, state.seq));
      },
    }),

    route({
      method: 'POST',
      url: '/v1/runs/:id/rerun',
      tag: 'runs',
      summary: 'Run the same calls again, as a new run',
      scope: 'runs:write',
      idempotent: true,
      params: runParams,
      body: z.object({ from: z.number().int().min(0).max(255).default(0) }),
      answers: { 201: created },
      handle: async (call) => {
        const address = await runOf(services, call.principal, call.params.id);
        const plan = await planOf(services, address);
        const { from } = call.body;
        if (from >= plan.tools.length)
          throw new Refusal('invalid', `from: the run has ${plan.tools.length} tool calls`);
        const calls = callsOf(plan.tools, from);
        const mode = plan.ordering === 'sequential' ? 'sequential' : 'parallel';
        const { message_id, priority } = plan;
        return submit(
          services,
          call,
          { app: address.app, message_id, mode, priority, calls },
          { run: address.run, from },
        );
      },
    }),

    route({
      method: 'GET',
      url: '/v1/runs/:id/results',
      tag: 'runs',
      summary: 'Every call answered, as messages for the model',
      scope: 'runs:read',
      params: runParams,
      query: z.object({ format: z.enum(RESULT_FORMATS).default('openai'), min_cursor: cursorText.optional() }),
      answers: {
        200: {
          description: 'Messages in call order; a call that has not finished is answered so',
          schema: z.object({ format: z.enum(RESULT_FORMATS), messages: z.array(json) }),
        },
      },
      handle: async ({ principal, params, query }) => {
        const address = await runOf(services, principal, params.id);
        await logReaches(services, query.min_cursor);
        const state = await reader.read(address);
        if (!state) throw new Refusal('not_found', 'There is no such run.');
        const calls: CallResult[] = [];
        for (const { result, ...answer } of callResults(state)) {
          calls.push(result === undefined ? answer : { ...answer, result: await resolved(artifacts, result, address) });
        }
        return { format: query.format, messages: toMessages(calls, query.format) };
      },
    }),
  ];

  async function seqOf(cursor: string, partition: number): Promise<number> {
    const resolved = await resolveCursor(log, [partition], cursor, [0]);
    if (!resolved.ok) throw new Refusal('bad_cursor');
    return resolved.positions[0]!;
  }
}

async function submit(
  services: Services,
  { principal, request, reply }: Call,
  submission: Submission,
  rerunOf?: { run: string; from: number },
): Promise<unknown> {
  const key = idempotencyKey(request.headers['idempotency-key']);
  const { run, replayed } = await submitRun(services, { principal, request, key, rerunOf }, submission);
  if (replayed) reply.header('Idempotent-Replayed', 'true');
  reply.code(201).header('Location', `/v1/runs/${run.run_id}`);
  return run;
}

/** The plan as it was accepted: a state may hold arguments that an approval changed since. */
async function planOf({ log }: Services, address: RunAddress): Promise<RunPlan> {
  const partition = partitionOfRun(address.run)!;
  for await (const stored of log.read(runSubject(address), { partition, from: 1, batch: 1 })) {
    const event = stored.event();
    if (event.type === 'run.accepted.v1') return event.data;
    break;
  }
  throw new Refusal('not_found', 'The calls of this run are no longer in the log.');
}

/** The calls of a plan from one index on, as they were asked for. What they depended on before that index is done with. */
function callsOf(tools: RunPlan['tools'], from: number): RequestedCall[] {
  return tools.slice(from).map((tool) => {
    const broken = tool.rejection?.code === 'invalid_arguments' && typeof tool.arguments === 'string';
    return {
      call_id: tool.call_id,
      name: tool.name,
      arguments: tool.arguments,
      ...(broken ? { parse_error: 'the arguments were no JSON in the first run either' } : {}),
      depends_on: tool.depends_on.filter((index) => index >= from).map((index) => tools[index]!.call_id),
      ...(tool.rejection?.code === 'unknown_tool' ? {} : { timeout_ms: tool.timeout_ms }),
    };
  });
}

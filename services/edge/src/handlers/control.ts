import { json, type RunCommandName, type RunCommandRequest } from '@toolstream/proto-events';
import { ensureTraceparent } from '@toolstream/service-kit';
import { z } from 'zod';
import { adminOf } from '../auth/principal.ts';
import { Refusal } from '../problems.ts';
import { commandId, idempotencyKey } from '../requests/idempotency.ts';
import { requireShallow } from '../requests/json.ts';
import type { Services } from '../services.ts';
import { runOf, runParams, toolParams } from './access.ts';
import { type AnyRoute, type Call, route } from './route.ts';

const reasonBody = z.object({ reason: z.string().max(1000).optional() });
const approveBody = reasonBody.extend({ arguments: json.optional() });
const answers = {
  202: {
    description: 'The cursor of the event that records the command, or that already made it so',
    schema: z.object({ cursor: z.string() }),
  },
};

/** Commands on a run and on its tool calls. */
export function controlRoutes(services: Services): AnyRoute[] {
  const onRun = (name: 'pause' | 'resume' | 'cancel', summary: string) =>
    route({
      method: 'POST',
      url: `/v1/runs/:id/${name}`,
      tag: 'control',
      summary,
      scope: 'runs:control',
      idempotent: true,
      params: runParams,
      body: reasonBody,
      answers,
      handle: async (call) => {
        await runOf(services, call.principal, call.params.id);
        return command(services, call, { name, ...common(call, name, undefined) });
      },
    });

  const onTool = (name: 'cancel_tool' | 'retry_tool' | 'deny_tool', summary: string) =>
    route({
      method: 'POST',
      url: `/v1/runs/:id/tools/:index/${name.slice(0, -'_tool'.length)}`,
      tag: 'control',
      summary,
      scope: 'runs:control',
      idempotent: true,
      params: toolParams,
      body: reasonBody,
      answers,
      handle: async (call) => {
        await runOf(services, call.principal, call.params.id);
        const index = toolIndex(call.params.index);
        return command(services, call, { name, ...common(call, name, index), index });
      },
    });

  const approve = route({
    method: 'POST',
    url: '/v1/runs/:id/tools/:index/approve',
    tag: 'control',
    summary: 'Let a tool call that waits for an approval run, with other arguments if any are given',
    scope: 'runs:control',
    idempotent: true,
    params: toolParams,
    body: z.preprocess((body) => {
      requireShallow(body, 'body');
      return body;
    }, approveBody),
    answers,
    handle: async (call) => {
      const address = await runOf(services, call.principal, call.params.id);
      const index = toolIndex(call.params.index);
      const { arguments: edited } = call.body;
      const stored =
        edited === undefined
          ? {}
          : {
              arguments: await services.artifacts.putJsonIfLarge(edited, {
                tenant: address.tenant,
                run: address.run,
                kind: 'arguments',
              }),
            };
      return command(services, call, {
        name: 'approve_tool',
        ...common(call, 'approve_tool', index),
        index,
        ...stored,
      });
    },
  });

  return [
    onRun('pause', 'Dispatch nothing more, and hold what runs'),
    onRun('resume', 'Go on after a pause'),
    onRun('cancel', 'End the run; what runs is stopped'),
    onTool('cancel_tool', 'End one tool call'),
    onTool('retry_tool', 'Run a tool call that has ended again, while its run is live'),
    approve,
    onTool('deny_tool', 'Refuse a tool call that waits for an approval'),
  ];
}

async function command(
  services: Services,
  { reply }: Pick<Call, 'reply'>,
  request: RunCommandRequest,
): Promise<{ cursor: string }> {
  const cursor = await services.orchestrator.command(request);
  reply.code(202);
  return { cursor };
}

type Common = Pick<
  Call<{ id: string }, unknown, { reason?: string | undefined }>,
  'principal' | 'request' | 'params' | 'body'
>;

function common({ principal, request, params, body }: Common, name: RunCommandName, index: number | undefined) {
  const key = idempotencyKey(request.headers['idempotency-key']);
  return {
    tenant: principal.tenant,
    actor: principal.sub,
    ...adminOf(principal),
    traceparent: ensureTraceparent(request.headers.traceparent),
    run: params.id,
    command_id: commandId(name, index, principal.sub, key),
    ...(body.reason === undefined ? {} : { reason: body.reason }),
  };
}

function toolIndex(index: number): number {
  if (index > 255) throw new Refusal('not_found', 'There is no such tool call.');
  return index;
}

import { runId, token } from '@toolstream/proto-events';
import { z } from 'zod';
import { requireShallow } from '../requests/json.ts';

const id = z.string().min(1).max(512);

/** Of a message, what concerns tool calls; the rest is the agent's and is let through unread. */
const message = z.looseObject({
  id,
  role: z.string(),
  toolCalls: z
    .array(
      z.looseObject({
        id: z.string().min(1).max(256),
        type: z.literal('function').default('function'),
        function: z.looseObject({ name: z.string().min(1).max(256), arguments: z.string() }),
      }),
    )
    .nullish(),
  toolCallId: z.string().nullish(),
});

const resumeEntry = z.looseObject({
  interruptId: z.string().min(1).max(512),
  status: z.enum(['resolved', 'cancelled']),
  payload: z.unknown().optional(),
});

/** Ours within `forwardedProps`. */
const ours = z.looseObject({
  /** The app of the run; without it, the thread's id. */
  app: token.optional(),
  /** A run to attach to, whoever submitted it. */
  run: runId.optional(),
  mode: z.enum(['sequential', 'parallel']).optional(),
  priority: z.enum(['high', 'normal', 'low']).optional(),
});

/**
 * AG-UI's RunAgentInput as far as it concerns us. Whatever AG-UI's own schema accepts is accepted here, except for what
 * could not be an id or a name of ours.
 */
export const runAgentInput = z.looseObject({
  threadId: id,
  runId: id,
  parentRunId: id.nullish(),
  messages: z.array(message).max(10_000),
  tools: z.array(z.looseObject({ name: z.string() })).nullish(),
  state: z.unknown().optional(),
  context: z.unknown().optional(),
  forwardedProps: z.looseObject({ toolstream: ours.nullish() }).nullish(),
  resume: z.array(resumeEntry).max(256).nullish(),
});
export type RunAgentInput = z.infer<typeof runAgentInput>;
export type ResumeEntry = z.infer<typeof resumeEntry>;

/** Parsed values are copied and hashed by recursive readers later on. */
export const runAgentBody = z.preprocess((body) => {
  requireShallow(body, 'body');
  return body;
}, runAgentInput);

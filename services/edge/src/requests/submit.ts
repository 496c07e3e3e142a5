import type { AcceptedRun } from '@toolstream/proto-events';
import { ensureTraceparent } from '@toolstream/service-kit';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../auth/principal.ts';
import type { Services } from '../services.ts';
import { requestHash, type Submission, storeLargeArguments } from './submission.ts';

export interface SubmitContext {
  readonly principal: Principal;
  readonly request: Pick<FastifyRequest, 'headers'>;
  /** Repeated with the same key, the first run is answered. */
  readonly key: string | undefined;
  readonly rerunOf?: { readonly run: string; readonly from: number } | undefined;
}

/** Hands a checked submission to the orchestrator, large arguments stored first. */
export async function submitRun(
  services: Pick<Services, 'orchestrator' | 'artifacts' | 'tools'>,
  { principal, request, key, rerunOf }: SubmitContext,
  submission: Submission,
): Promise<{ run: AcceptedRun; replayed: boolean }> {
  const { app, message_id, mode, priority } = submission;
  const { tenant, sub } = principal;
  const calls = await storeLargeArguments(
    submission.calls,
    tenant,
    services.artifacts,
    (name) => services.tools.find(name)?.description.length ?? 0,
  );
  return services.orchestrator.submit({
    tenant,
    actor: sub,
    traceparent: ensureTraceparent(request.headers.traceparent),
    app,
    mode,
    priority,
    ...(message_id === undefined ? {} : { message_id }),
    calls: calls.map((call) => ({ ...call, depends_on: [...call.depends_on] })),
    request_hash: requestHash(submission, rerunOf),
    ...(key === undefined ? {} : { idempotency_key: key }),
    ...(rerunOf === undefined ? {} : { rerun_of: rerunOf.run }),
  });
}

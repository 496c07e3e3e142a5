import type { Logger, ReadyReport } from '@toolstream/service-kit';
import type { Artifacts, Workspace } from '@toolstream/stores';
import type { DeadLetters } from './adapters/dead-letters.ts';
import type { Messages } from './adapters/messages.ts';
import type { Orchestrator } from './adapters/orchestrator.ts';
import type { Projection } from './adapters/projection.ts';
import type { Revocations } from './adapters/revocations.ts';
import type { RunReader } from './adapters/run-reader.ts';
import type { Tickets } from './adapters/tickets.ts';
import type { ToolCatalog } from './adapters/tool-catalog.ts';
import type { OriginCheck } from './auth/origins.ts';
import type { TokenVerifier } from './auth/tokens.ts';
import type { CableMemory } from './cable/memory.ts';
import type { PastStates } from './cable/past-states.ts';
import type { EdgeConfig } from './config.ts';
import type { Feeds } from './feeds/feeds.ts';
import type { Flusher } from './feeds/flusher.ts';
import type { EdgeLog } from './feeds/log.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { Admission } from './socket/admission.ts';
import type { Clients } from './socket/clients.ts';

/** Everything that the handlers use, put together once in `app.ts`. */
export interface Services {
  readonly config: EdgeConfig;
  readonly logger: Logger;
  readonly log: EdgeLog;
  readonly feeds: Feeds;
  readonly reader: RunReader;
  readonly projection: Projection;
  readonly orchestrator: Orchestrator;
  readonly deadLetters: DeadLetters;
  readonly messages: Messages;
  readonly tools: ToolCatalog;
  readonly artifacts: Artifacts;
  readonly workspace: Workspace;
  readonly tokens: TokenVerifier;
  readonly tickets: Tickets;
  readonly revocations: Revocations;
  readonly allowsOrigin: OriginCheck;
  readonly clients: Clients;
  readonly admission: Admission;
  readonly cable: { readonly memory: CableMemory; readonly past: PastStates };
  readonly flusher: Flusher;
  readonly metrics: EdgeMetrics;
  readiness(): Promise<ReadyReport>;
  metricsText(): Promise<string>;
}

import type { NatsConnection } from '@nats-io/nats-core';
import { commandSubject } from '@toolstream/proto-events';
import { type CommandService, serveCommands } from '@toolstream/service-kit';

export interface Asked {
  readonly name: string;
  readonly body: Record<string, unknown>;
}

const NAMES = ['submit', 'pause', 'resume', 'cancel', 'cancel_tool', 'retry_tool', 'approve_tool', 'deny_tool'];

/** Stands in for the orchestrator, which is not the subject there: whatever it is asked is answered by `answer`. */
export const standInOrchestrator = (nc: NatsConnection, answer: (asked: Asked) => unknown): Promise<CommandService> =>
  serveCommands(nc, {
    name: 'orchestrator',
    version: '0.0.1',
    endpoints: Object.fromEntries(
      NAMES.map((name) => [
        name,
        {
          subject: commandSubject(name),
          handler: (body: unknown) => answer({ name, body: body as Record<string, unknown> }),
        },
      ]),
    ),
  });

import { z } from 'zod';
import {
  clientFrames,
  closeCodes,
  type EventType,
  envelope,
  errorCodes,
  eventStreamSubjects,
  eventTypes,
  JOBS_STREAM,
  job,
  jobStreamSubjects,
  runCommands,
  runState,
  SUBPROTOCOL,
  serverFrames,
  submitBody,
  submitReply,
  submitRun,
  timer,
  toolDefinition,
  toolErrorCodes,
} from '../src/index.ts';

type Schema = Record<string, unknown>;

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output' = 'output'): Schema => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Schema;
  return rest;
};

const eventSchema = (type: EventType): Schema =>
  jsonSchema(envelope.extend({ type: z.literal(type), data: eventTypes[type].data }));

/** Every document that is generated from the contract: path below `generated/` → content. */
export function documents(): Map<string, string> {
  const files = new Map<string, unknown>();
  const dialect = 'https://json-schema.org/draft/2020-12/schema';
  for (const type of Object.keys(eventTypes) as EventType[]) {
    files.set(`events/${type}.schema.json`, { $schema: dialect, title: type, ...eventSchema(type) });
  }
  const named = { 'run-state': runState, 'tool-definition': toolDefinition, 'submit-body': submitBody, job, timer };
  for (const [name, schema] of Object.entries(named)) {
    files.set(`${name}.schema.json`, {
      $schema: dialect,
      title: name,
      ...jsonSchema(schema, name === 'submit-body' ? 'input' : 'output'),
    });
  }
  files.set('codes.json', { errors: errorCodes, close_codes: closeCodes });
  files.set('asyncapi.json', asyncapi());
  const written = [...files].map(([path, value]) => [path, `${JSON.stringify(value, null, 2)}\n`] as const);
  return new Map([...written, ['codes.md', codesPage()]]);
}

const COMING_BACK = { never: 'do not come back', later: 'come back later', now: 'come back now' } as const;

/** The codes for people: what each means and what to do about it. */
function codesPage(): string {
  const table = (head: string[], rows: string[][]) =>
    [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const errors = Object.entries(errorCodes).map(([code, { status, help }]) => [`\`${code}\``, `${status}`, help]);
  const closes = Object.entries(closeCodes).map(([code, { reason, reconnect }]) => [
    code,
    `\`${reason}\``,
    COMING_BACK[reconnect],
  ]);
  const tools = Object.entries(toolErrorCodes).map(([code, help]) => [`\`${code}\``, help]);
  const parts = [
    '# Codes',
    'Made from the contract; every code keeps its meaning.',
    '## Close codes of `/ws`',
    'The range says what to do about codes that are not listed: 40xx do not come back, 41xx come back later, 42xx and all others come back now.',
    table(['code', 'reason', 'then'], closes),
    '## Error codes',
    'In `error` frames and, with the status, in `application/problem+json`.',
    table(['code', 'status', 'what to do'], errors),
    '## Codes of failed tool calls',
    'In `tool.failed` as far as Toolstream itself says them; tools have their own.',
    table(['code', 'meaning'], tools),
  ];
  return `${parts.join('\n\n')}\n`;
}

const ref = (path: string): Schema => ({ $ref: `#/${path}` });
const message = (name: string, payload: Schema, summary?: string): Schema => ({
  name,
  ...(summary ? { summary } : {}),
  contentType: 'application/json',
  payload,
});

interface Channel {
  readonly address: string;
  readonly description: string;
  readonly server: 'nats' | 'edge';
  readonly messages: Readonly<Record<string, Schema>>;
  readonly parameters?: Readonly<Record<string, string>>;
}

function asyncapi(): Schema {
  const channels: Record<string, Channel> = {
    events: {
      address: 'ts.evt.{partition}.{tenant}.{app}.{run}.{writer}',
      description: `The event log: streams EVENTS_<partition> with subjects ${eventStreamSubjects(0)}. Writer is "run" or a tool's index. Republished on ts.live.`,
      server: 'nats',
      parameters: {
        partition: 'Partition, the first part of the run id',
        tenant: 'Owner',
        app: 'Application',
        run: 'Run id',
        writer: '"run" or the index of the tool call',
      },
      messages: Object.fromEntries(
        (Object.keys(eventTypes) as EventType[]).map((t) => [t, message(t, eventSchema(t))]),
      ),
    },
    jobs: {
      address: 'ts.job.{pool}.{priority}.{bucket}.{tenant}',
      description: `Tool jobs: work queue ${JOBS_STREAM} with subjects ${jobStreamSubjects}.`,
      server: 'nats',
      parameters: { pool: 'Pool', priority: 'high, normal or low', bucket: 'Hash of the tenant', tenant: 'Owner' },
      messages: { job: message('job', jsonSchema(job)) },
    },
    timers: {
      address: 'ts.timer.due.{partition}',
      description: 'Durable timers that have fired: scheduled messages of the stream TIMERS.',
      server: 'nats',
      parameters: { partition: 'Partition of the run' },
      messages: { timer: message('timer', jsonSchema(timer)) },
    },
    submit: {
      address: 'ts.cmd.submit',
      description: 'Request/reply: accept a run.',
      server: 'nats',
      messages: {
        request: message('submit', jsonSchema(submitRun)),
        reply: message('submit_reply', jsonSchema(submitReply)),
      },
    },
    commands: {
      address: 'ts.cmd.{command}',
      description: 'Request/reply: commands on an accepted run.',
      server: 'nats',
      parameters: { command: Object.keys(runCommands).join(', ') },
      messages: Object.fromEntries(Object.entries(runCommands).map(([n, s]) => [n, message(n, jsonSchema(s))])),
    },
    socket: {
      address: '/ws',
      description: `WebSocket of the edge, subprotocol ${SUBPROTOCOL}.`,
      server: 'edge',
      messages: {
        ...Object.fromEntries(
          Object.entries(clientFrames).map(([n, s]) => [`client.${n}`, message(n, jsonSchema(s, 'input'))]),
        ),
        ...Object.fromEntries(Object.entries(serverFrames).map(([n, s]) => [`server.${n}`, message(n, jsonSchema(s))])),
      },
    },
  };
  const messageRefs = (channel: string, names: string[]): Schema[] =>
    names.map((n) => ref(`channels/${channel}/messages/${n}`));
  const names = (channel: string): string[] => Object.keys(channels[channel]!.messages);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Toolstream',
      version: '1.0.0',
      description:
        'Durable, replayable, live streaming of AI agents’ tool calls. Generated from the zod schemas of proto-events.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      nats: { host: 'localhost:4222', protocol: 'nats', description: 'NATS JetStream, inside only' },
      edge: { host: 'localhost:4400', protocol: 'ws', description: 'The only public door' },
    },
    channels: Object.fromEntries(
      Object.entries(channels).map(([name, { server, parameters, ...channel }]) => [
        name,
        {
          ...channel,
          servers: [ref(`servers/${server}`)],
          ...(parameters
            ? {
                parameters: Object.fromEntries(
                  Object.entries(parameters).map(([p, description]) => [p, { description }]),
                ),
              }
            : {}),
        },
      ]),
    ),
    operations: {
      appendEvent: {
        action: 'send',
        channel: ref('channels/events'),
        messages: messageRefs('events', names('events')),
      },
      dispatchJob: { action: 'send', channel: ref('channels/jobs'), messages: messageRefs('jobs', ['job']) },
      fireTimer: { action: 'receive', channel: ref('channels/timers'), messages: messageRefs('timers', ['timer']) },
      submitRun: {
        action: 'receive',
        channel: ref('channels/submit'),
        messages: messageRefs('submit', ['request']),
        reply: { channel: ref('channels/submit'), messages: messageRefs('submit', ['reply']) },
      },
      commandRun: {
        action: 'receive',
        channel: ref('channels/commands'),
        messages: messageRefs('commands', names('commands')),
      },
      receiveFrame: {
        action: 'receive',
        channel: ref('channels/socket'),
        messages: messageRefs(
          'socket',
          names('socket').filter((n) => n.startsWith('client.')),
        ),
      },
      sendFrame: {
        action: 'send',
        channel: ref('channels/socket'),
        messages: messageRefs(
          'socket',
          names('socket').filter((n) => n.startsWith('server.')),
        ),
      },
    },
  };
}

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Client, createClient } from '@toolstream/client';
import type { Json, RunState } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack, until } from './support/stack.ts';

const EVERYTHING = createRequire(join(import.meta.dirname, '../services/executor/package.json')).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
);
const everything = (elicitation: string) => ({ command: process.execPath, args: [EVERYTHING, 'stdio'], elicitation });

let t: TestStack;
let client: Client;
beforeAll(async () => {
  t = await startTestStack({
    env: {
      TOOLSTREAM_LEASE_MS: '2000',
      TOOLSTREAM_MCP: JSON.stringify({
        mcpServers: { everything: everything('decline'), asking: everything('approval') },
      }),
    },
  });
  client = createClient({ url: t.url, token: () => t.token(), transports: ['websocket'] });
});
afterAll(async () => {
  client?.close();
  await t?.stop();
});

const submit = async (name: string, args: Json = {}): Promise<string> =>
  (await client.submit({ app: 'mcp', tool_calls: [{ id: 'c1', name, arguments: args }] })).run_id;
const asked = (run: string, more: (state: RunState) => boolean = () => true) => {
  const watch = client.watch(run);
  return until('the run asks a person', 15_000, () =>
    watch.state?.tools[0]?.status === 'awaiting_approval' && more(watch.state) ? watch.state.tools[0] : undefined,
  );
};

describe('Progress of an MCP tool', () => {
  it('reaches a WebSocket client while the tool runs, beside native tools of the same run', async () => {
    const { run_id } = await client.submit({
      app: 'mcp',
      tool_calls: [
        { id: 'c1', name: 'os-write', arguments: { file_path: 'a.ts', content: 'export {};\n' } },
        {
          id: 'c2',
          name: 'everything_trigger-long-running-operation',
          arguments: { duration: 2, steps: 4 },
          depends_on: ['c1'],
        },
        { id: 'c3', name: 'everything_get-sum', arguments: { a: 20, b: 22 }, depends_on: ['c2'] },
      ],
    });
    const progress: { value: number | undefined; at: number }[] = [];
    let endedAt = 0;
    for await (const item of client.watch(run_id)) {
      if (item.type === 'event' && item.event.type === 'tool.progressed.v1' && item.event.toolindex === 1) {
        progress.push({ value: item.event.data.progress, at: performance.now() });
      }
      if (item.type === 'event' && item.event.type === 'tool.succeeded.v1' && item.event.toolindex === 1) {
        endedAt = performance.now();
      }
    }
    expect(progress.map(({ value }) => value)).toEqual([25, 50, 75, 100]);
    expect(endedAt - progress[0]!.at).toBeGreaterThan(1000);
    const { messages } = await client.results(run_id, 'anthropic');
    expect(JSON.stringify(messages)).toContain('42');
  });
});

describe('What an MCP server asks during a call', () => {
  it('is put to a person; the answer is in the approved arguments, and the server gets it', async () => {
    const run = await submit('asking_trigger-elicitation-request');
    const tool = await asked(run);
    expect(tool.approval).toMatchObject({
      reason: 'input',
      request: {
        message: expect.stringContaining('Please provide inputs'),
        schema: { type: 'object', required: ['name'] },
      },
    });
    await client.command(run, 'approve_tool', {
      index: 0,
      arguments: { _elicitation: { name: 'Ada Lovelace', integer: 7 } },
    });
    const { status, tools } = await client.watch(run).done;
    expect(status).toBe('succeeded');
    expect(tools[0]).toMatchObject({ attempt: 2, failures: 0 });
    expect(String(tools[0]?.result)).toContain('Name: Ada Lovelace');
  });

  it('is asked again when the answer does not fit', async () => {
    const run = await submit('asking_trigger-elicitation-request');
    const first = await asked(run);
    await client.command(run, 'approve_tool', { index: 0, arguments: { _elicitation: { integer: 1_000 } } });
    await asked(run, ({ tools }) => tools[0]?.approval?.requested_at !== first.approval?.requested_at);
    await client.command(run, 'approve_tool', { index: 0, arguments: { _elicitation: { name: 'Ada' } } });
    expect((await client.watch(run).done).status).toBe('succeeded');
  });

  it('cannot be answered by the model', async () => {
    const run = await submit('asking_trigger-elicitation-request', { _elicitation: { name: 'A model' } });
    await asked(run);
    await client.command(run, 'deny_tool', { index: 0, reason: 'No names.' });
    const { status, tools } = await client.watch(run).done;
    expect([status, tools[0]?.status, tools[0]?.result]).toEqual(['failed', 'denied', undefined]);
  });

  it('is asked once, whatever pauses come between', async () => {
    const run = await submit('asking_trigger-elicitation-request');
    const { approval } = await asked(run);
    await client.command(run, 'pause');
    await client.command(run, 'resume');
    expect((await asked(run)).approval?.requested_at).toBe(approval?.requested_at);
    await client.command(run, 'cancel');
    expect((await client.watch(run).done).status).toBe('cancelled');
  });
});

describe('An executor that is killed', () => {
  it('leaves no MCP server behind, and the call is run again elsewhere', async () => {
    const pid = t.stack.pidOf('executor-1')!;
    const servers = execFileSync('pgrep', ['-P', String(pid), '-f', 'server-everything'], { encoding: 'utf8' });
    const pids = servers.trim().split('\n').map(Number);
    expect(pids).toHaveLength(2);
    const run = await submit('everything_trigger-long-running-operation', { duration: 4, steps: 8 });
    const watch = client.watch(run);
    await until('it progresses', 15_000, () => watch.state?.tools[0]?.progress);
    process.kill(pid, 'SIGKILL');
    const { status, tools } = await watch.done;
    expect([status, tools[0]?.attempt]).toEqual(['succeeded', 2]);
    await until('its servers are gone', 10_000, () => pids.every((server) => !isAlive(server)));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

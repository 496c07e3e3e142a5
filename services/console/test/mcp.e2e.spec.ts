import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import { address, badge, button, detail, says } from './run/page.ts';
import { type System, startSystem } from './support/index.ts';

const EVERYTHING = createRequire(join(import.meta.dirname, '../../executor/package.json')).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
);

let system: System;
beforeAll(async () => {
  const everything = { command: process.execPath, args: [EVERYTHING, 'stdio'] };
  system = await startSystem({ env: { TOOLSTREAM_MCP: JSON.stringify({ mcpServers: { everything } }) } });
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const operation = (duration: number, steps: number) => ({
  id: 'c1',
  name: 'everything_trigger-long-running-operation',
  arguments: { duration, steps },
});

describe("an MCP server's tool in a browser", () => {
  it('shows the progress that the server notifies of, step by step, beside native tools of the same run', async () => {
    const run = await system.submit([
      { id: 'c0', name: 'os-write', arguments: { file_path: 'a.ts', content: 'export {};\n' } },
      operation(4, 8),
    ]);
    const page = await system.open(address(run));
    const bar = detail(page).getByRole('progressbar');
    const seen = new Set<number>();
    await until('the end', 30_000, async () => {
      const now = await bar.getAttribute('aria-valuenow', { timeout: 5_000 }).catch(() => null);
      if (now !== null) seen.add(Number(now));
      return (await badge(page, 'succeeded').count()) > 0;
    });
    const steps = [...seen].filter((value) => value > 0 && value < 100);
    expect(steps.length).toBeGreaterThanOrEqual(3);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    for (const value of steps) expect(value % 12.5).toBe(0);
  });

  it('is stopped by a cancel in the page', async () => {
    const run = await system.submit([operation(120, 60)]);
    const page = await system.open(address(run));
    const bar = detail(page).getByRole('progressbar');
    await until('its first step', 20_000, async () => Number(await bar.getAttribute('aria-valuenow')) > 0);
    await button(page, 'Cancel run').click();
    await button(page.getByRole('alertdialog'), 'Cancel the run').click();
    await badge(page, 'cancelled').waitFor({ timeout: 10_000 });
    await says(detail(page), 'Cancelled');
    const state = await system.client.watch(run).done;
    expect(state.tools[0]).toMatchObject({ status: 'cancelled', attempt: 1 });
  });
});

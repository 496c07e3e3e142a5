import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { bundle } from '@toolstream/example-stimulus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { literal, type Rails, startRails, steps } from './rails.ts';

let rails: Rails;
beforeAll(async () => {
  rails = await startRails();
}, 900_000);
afterAll(() => rails?.stop());

describe('The view', () => {
  it('lets a page watch and steer the tools of its message, with a token for its app and no other', async () => {
    const html = await rails.ruby.evaluate<string>(RENDER, { EXAMPLES: join(rails.ruby.example, '..') });
    const scripts = await bundle();
    const server = createServer(({ url }, response) => {
      const script = scripts.get(url ?? '');
      response.setHeader('Content-Type', script ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
      response.end(script ?? html);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await rails.ruby.evaluate(
        `client.submit(app: 42, message_id: 7, tool_calls: ${literal(steps)}, idempotency_key: "v")`,
      );
      await page
        .getByRole('status')
        .filter({ hasText: /^Running: 0 of 1 tool/ })
        .waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page
        .getByRole('status')
        .filter({ hasText: /^Cancelled/ })
        .waitFor();
      const { runs } = await rails.t.client().list({ app: '42' });
      expect((await rails.t.client().get(runs[0]!.run_id)).cancel?.actor).toBe('user-1');
      const cable = new URL((await page.locator('meta[name="action-cable-url"]').getAttribute('content')) ?? '');
      expect(cable.pathname).toBe('/cable');
      expect(cable.searchParams.get('page')).toMatch(/^[0-9a-f-]{36}$/);
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('The files that need Rails', () => {
  it('are Ruby without warnings', async () => {
    const files = readdirSync(rails.ruby.example, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.rb'),
    );
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const { code, err } = await rails.ruby.run(['-c', join(rails.ruby.example, file)]);
      expect(code, err).toBe(0);
    }
  });
});

/** The page as Rails would render it, by the standard library's ERB. */
const RENDER = `
  require "erb"
  $LOAD_PATH.unshift(File.join(ENV.fetch("EXAMPLES"), "rails/app/helpers"))
  require "toolstream_helper"
  class View
    include ToolstreamHelper
    FILES = {
      "tool_executions/head" => "rails/app/views/tool_executions/_head.html.erb",
      "tool_executions/tool_execution" => "rails/app/views/tool_executions/_tool_execution.html.erb",
      "tool_executions/panel" => "stimulus/panel.html"
    }
    def toolstream = client
    def render(name, locals = {})
      scope = binding
      locals.each { |key, value| scope.local_variable_set(key, value) }
      ERB.new(File.read(File.join(ENV.fetch("EXAMPLES"), FILES.fetch(name)))).result(scope)
    end
  end
  with_id = Struct.new(:id)
  view = View.new
  '<!doctype html><html lang="en"><head><title>Chat</title>' \\
    "#{view.render("tool_executions/head", { app: with_id.new(42), user: with_id.new(1) })}" \\
    '<script type="module" src="/assets/page.js"></script></head>' \\
    "<body>#{view.render("tool_executions/tool_execution", { message: with_id.new(7) })}</body></html>"`;

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'strategy');
const CONTROLLER = join(FIXTURES, 'tool_execution_controller.js');

/**
 * The strategy document's controller and template, byte for byte. What a Rails application has around them is made here:
 * the application that registers the controller, and `../channels/consumer`. The template lacks the `.status-text` that
 * the controller writes to, so the page puts one beside the badge.
 */
export interface StimulusPage {
  /** The address of a page that watches this message. */
  address(message: number): string;
  close(): Promise<void>;
}

export async function serveStimulusPage(cable: string): Promise<StimulusPage> {
  const script = await bundle(cable);
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
    if (pathname === '/page.js') {
      response.setHeader('Content-Type', 'text/javascript; charset=utf-8').end(script);
    } else {
      response.setHeader('Content-Type', 'text/html; charset=utf-8').end(html(Number(searchParams.get('message'))));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: (message) => `http://127.0.0.1:${port}/?message=${message}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bundle(cable: string): Promise<string> {
  const main = `
    import { Application } from '@hotwired/stimulus';
    import Controller from ${JSON.stringify(CONTROLLER)};
    const application = Application.start();
    application.handleError = (error) => { throw error; };
    application.register('tool-execution', Controller);
  `;
  const consumer = `
    import { createConsumer } from '@rails/actioncable';
    const address = ${JSON.stringify(cable)} + '&page=' + crypto.randomUUID();
    export default globalThis.consumer = createConsumer(address);
  `;
  const { outputFiles } = await build({
    stdin: { contents: main, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    plugins: [
      {
        name: 'consumer',
        setup(at) {
          at.onResolve({ filter: /^\.\.\/channels\/consumer$/ }, () => ({ path: 'consumer', namespace: 'page' }));
          at.onLoad({ filter: /.*/, namespace: 'page' }, () => ({
            contents: consumer,
            resolveDir: import.meta.dirname,
          }));
        },
      },
    ],
  });
  return outputFiles[0]!.text;
}

function html(message: number): string {
  const template = readFileSync(join(FIXTURES, 'tool_execution_template.html'), 'utf8').replace(
    /(<div class="status-badge[^>]*><\/div>)/,
    '$1<span class="status-text"></span>',
  );
  return `<!doctype html>
<meta charset="utf-8">
<style>.progress-bar-container { width: 400px; height: 8px } .progress-bar { height: 100% }</style>
<div data-controller="tool-execution" data-tool-execution-message-id-value="${message}">
  ${template}
  <div data-tool-execution-target="overallProgress"></div>
  <div data-tool-execution-target="toolList"></div>
</div>
<script type="module" src="/page.js"></script>`;
}

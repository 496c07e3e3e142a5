import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const at = (name: string) => readFileSync(join(import.meta.dirname, '..', name), 'utf8');

export const SCRIPTS = ['page', 'cable', 'element'] as const;

export interface PageOptions {
  readonly toolstream: string;
  readonly token: string;
  readonly message: string;
  readonly script: (typeof SCRIPTS)[number];
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

/** What a Rails view renders: the address and a token in the head, the panel where the message is. */
export function page({ toolstream, token, message, script }: PageOptions): string {
  const cable = new URL(`${toolstream.replace(/^http/, 'ws')}/cable`);
  cable.searchParams.set('jid', token);
  cable.searchParams.set('page', crypto.randomUUID());
  const metas = {
    'toolstream-url': toolstream,
    'toolstream-token': token,
    'toolstream-token-path': '/token',
    'action-cable-url': cable.href,
  };
  const head = Object.entries(metas).map(([name, content]) => `<meta name="${name}" content="${escaped(content)}">`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tools of a message</title>
${head.join('\n')}
<style>${at('style.css')}</style>
<script type="module" src="/assets/${script}.js"></script>
</head>
<body>
<main>
<h1>Tools of a message</h1>
<form method="post" action="/messages/${escaped(message)}/runs?script=${script}"><button>Run the sample turn</button></form>
${script === 'element' ? element(message) : panel(message)}
</main>
</body>
</html>
`;
}

const panel = (message: string): string => `
<section class="tool-execution" aria-label="Tools" data-controller="tool-execution" data-tool-execution-message-value="${escaped(message)}">
${at('panel.html')}
</section>`;

const element = (message: string): string => `
<toolstream-run label="Tools" controls output data-controller="toolstream-run" data-toolstream-run-message-value="${escaped(message)}">
Nothing has been asked for yet.
</toolstream-run>`;

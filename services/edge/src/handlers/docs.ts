import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const ASSETS = '/docs/assets/';
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

/** No inline script and nothing from elsewhere: a page of the API's own origin may hold a caller's token. */
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Toolstream: HTTP interface</title>
<link rel="stylesheet" href="${ASSETS}swagger-ui.css">
<link rel="icon" href="${ASSETS}favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<script src="${ASSETS}swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, persistAuthorization: false });\n`;

/** `GET /docs`: the HTTP interface to read and to try, made from `/openapi.json`. */
export async function docsRoutes(app: FastifyInstance): Promise<void> {
  await app.register(fastifyStatic, {
    root: dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')),
    prefix: ASSETS,
    decorateReply: false,
    allowedPath: (path) => FILES.includes(path.replace(/^\//, '')),
    maxAge: '1h',
    immutable: false,
  });
  app.get('/docs', (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('Content-Security-Policy', POLICY).send(PAGE),
  );
  app.get('/docs/start.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(START));
}

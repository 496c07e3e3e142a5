import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['source', 'import', 'module', 'default'] };
const ssr = { resolve: { conditions: ['source', 'node', 'default'] } };
const at = (suffix: string) => [
  `proto-events/**/*.${suffix}.spec.ts`,
  `libs/**/*.${suffix}.spec.ts`,
  `services/**/*.${suffix}.spec.ts`,
  `infra/**/*.${suffix}.spec.ts`,
  `test/**/*.${suffix}.spec.ts`,
];
/** A package of somebody else's that has a condition `source` too: its TypeScript must be transformed like ours. */
const server = { deps: { inline: [/\/node_modules\/(ai|@ai-sdk|eventsource-parser)\//] } };
const exclude = ['**/node_modules/**', '**/dist/**', '**/.cache/**'];

/** The suffix names the cost: `unit` is pure, `int` talks to a real server, `e2e` starts the whole product. */
export default defineConfig({
  test: {
    projects: [
      { resolve, ssr, test: { name: 'unit', include: at('unit'), exclude, server, setupFiles: ['./vitest.setup.ts'] } },
      {
        resolve,
        ssr,
        test: {
          name: 'int',
          include: at('int'),
          exclude,
          server,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'e2e',
          include: at('e2e'),
          exclude,
          testTimeout: 300_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          fileParallelism: false,
        },
      },
    ],
  },
});

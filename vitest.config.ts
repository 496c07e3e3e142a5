import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['toolstream', 'import', 'module', 'default'] };
const ssr = { resolve: { conditions: ['toolstream', 'node', 'default'] } };
const at = (suffix: string) => [
  `proto-events/**/*.${suffix}.spec.{ts,tsx}`,
  `libs/**/*.${suffix}.spec.{ts,tsx}`,
  `services/**/*.${suffix}.spec.{ts,tsx}`,
  `infra/**/*.${suffix}.spec.{ts,tsx}`,
  `test/**/*.${suffix}.spec.{ts,tsx}`,
];
const exclude = ['**/node_modules/**', '**/dist/**', '**/.cache/**'];

/** The suffix names the cost: `unit` is pure, `int` talks to a real server, `e2e` starts the whole product. */
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: at('unit'),
          exclude,
          setupFiles: ['./vitest.setup.ts'],
          // Properties over many histories take seconds where others want the processor too.
          testTimeout: 30_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'int',
          include: at('int'),
          exclude,
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
          globalSetup: ['./services/console/test/support/build.ts'],
          expect: { poll: { timeout: 20_000 } },
          testTimeout: 300_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          fileParallelism: false,
        },
      },
    ],
  },
});

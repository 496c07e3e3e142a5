/**
 * The import fence: proto-events ← domain ← {event-log, stores, client, tool-kit} ← services, in one direction only.
 * @type {import('dependency-cruiser').IConfiguration}
 */
const pkg = (...names) => `^(${names.join('|')})/`;
const lib = (...names) => names.map((name) => `libs/${name}`);
const TESTS = '(\\.spec\\.tsx?$|/test/)';

const mayUse = (name, from, allowed) => ({
  name,
  comment: `${from} may import ${allowed.join(', ') || 'none of our packages'}, and nothing else of ours.`,
  severity: 'error',
  from: { path: pkg(from), pathNot: TESTS },
  to: { path: '^(proto-events|libs|services|infra|examples|test|scripts)/', pathNot: pkg(from, ...allowed) },
});

const CONTRACT = ['proto-events'];
const CORE = [...CONTRACT, 'libs/domain'];
const SHELL = [...CORE, ...lib('event-log', 'service-kit', 'stores')];

/** Entries of their own in a package's `exports`, beside its index. */
const DOORS = ['^libs/react/src/(store|element/index)\\.ts$', '^libs/agents/src/ai-sdk/index\\.ts$'];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'one-door',
      comment: 'A package is used through its index, never through its files.',
      severity: 'error',
      from: { path: '^(proto-events|libs/[^/]+|services/[^/]+|infra/[^/]+|examples/[^/]+)/', pathNot: TESTS },
      to: { path: '^(proto-events|libs/[^/]+|services/[^/]+)/src/(?!index\\.ts)', pathNot: ['^$1/', ...DOORS] },
    },
    mayUse('contract-is-the-root', 'proto-events', []),
    mayUse('core-is-pure', 'libs/domain', CONTRACT),
    mayUse('event-log', 'libs/event-log', CORE),
    mayUse('stores', 'libs/stores', CONTRACT),
    mayUse('service-kit', 'libs/service-kit', CONTRACT),
    mayUse('tool-kit', 'libs/tool-kit', CORE),
    mayUse('client', 'libs/client', CORE),
    mayUse('react', 'libs/react', [...CORE, 'libs/client']),
    mayUse('agents', 'libs/agents', [...CONTRACT, 'libs/client']),
    mayUse('testkit', 'libs/testkit', [...CORE, 'libs/event-log']),
    mayUse('cli', 'libs/cli', [...CORE, ...lib('client', 'testkit', 'service-kit', 'stores')]),
    mayUse('orchestrator', 'services/orchestrator', [...SHELL, 'libs/tool-kit']),
    mayUse('executor', 'services/executor', [...SHELL, 'libs/tool-kit']),
    mayUse('projection', 'services/projection', SHELL),
    mayUse('edge', 'services/edge', SHELL),
    mayUse('console', 'services/console', [...CORE, ...lib('client', 'react')]),
    mayUse('examples', 'examples', lib('client', 'agents', 'react')),
    mayUse('bench', 'infra/bench', [...CORE, ...lib('event-log', 'tool-kit', 'testkit', 'cli')]),
    {
      name: 'core-has-no-io',
      comment: 'The contract and the core know zod and nothing else from outside.',
      severity: 'error',
      from: { path: '^(proto-events|libs/domain)/src/', pathNot: TESTS },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer'], pathNot: 'node_modules/zod/' },
    },
    {
      name: 'client-runs-in-browsers',
      severity: 'error',
      from: { path: '^libs/client/src/', pathNot: TESTS },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'], pathNot: 'node_modules/zod/' },
    },
    {
      name: 'declared-dependencies-only',
      comment: 'In the package.json next to the file; the two tools of all tests are declared at the root.',
      severity: 'error',
      from: { path: '^(proto-events|libs|services|infra|examples|test|scripts)/' },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'],
        // A door that a package opens by a pattern of its `exports` is not resolved here.
        pathNot: ['node_modules/(vitest|fast-check)/', '^@rjsf/core/lib/'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // What we build. A dependency's `dist` is seen: most packages are entered through theirs.
    exclude: { path: ['^(proto-events|(libs|services|infra|examples)/[^/]+)/dist/', '^test/fixtures/strategy/'] },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['toolstream', 'import', 'require', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};

// Import directions of the source tree; ARCHITECTURE.md says what each part is.
const only = (name, folder, allowed, extra = {}) => ({
  name,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: { path: '^(src|workers|bench|test)/', pathNot: `^(${[folder, ...allowed].join('|')})(/|$)`, ...extra },
});

const pure = ['src/model', 'src/protocol', 'src/policy'];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'pure-modules-do-no-io',
      comment: 'model, protocol and policy are bytes and values: no sockets, files, threads or timers.',
      severity: 'error',
      from: { path: `^(${pure.join('|')})/` },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(buffer|crypto|net/isIP)$' },
    },
    {
      name: 'only-the-pool-knows-piscina',
      severity: 'error',
      from: { pathNot: '^src/compute/' },
      to: { path: 'node_modules/piscina' },
    },
    {
      name: 'only-the-lmdb-file-knows-lmdb',
      severity: 'error',
      from: { pathNot: '^src/tracker/lmdb-file' },
      to: { path: 'node_modules/lmdb' },
    },
    {
      name: 'only-the-registry-knows-prom-client',
      severity: 'error',
      from: { pathNot: '^src/metrics/registry\\.ts$' },
      to: { path: 'node_modules/prom-client' },
    },
    {
      name: 'only-http-knows-fastify',
      severity: 'error',
      from: { pathNot: '^src/http/' },
      to: { path: 'node_modules/fastify' },
    },
    {
      name: 'http-and-metrics-are-loaded-only-where-they-are-served',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot:
          '^src/(http|metrics|daemon/(api/|(http-server|process-reports|(seedbox|tracker)-metrics)\\.ts))',
      },
      to: { path: '^src/(http|metrics)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-http-server-is-loaded-when-it-is-wanted',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: '^src/daemon/http-server\\.ts$',
        dependencyTypesNot: ['type-only', 'dynamic-import'],
      },
    },
    {
      name: 'the-api-is-part-of-the-http-server',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/daemon/(api/|http-server\\.ts$)' },
      to: { path: '^src/daemon/api/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workers-are-reached-through-the-pool',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/compute/' },
      to: { path: '^workers/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tests-and-benches-are-not-imported',
      severity: 'error',
      from: { path: '^(src|workers)/', pathNot: '^src/cli/(bench|simulate)' },
      to: { path: '^(test|bench)/' },
    },
    only('core-imports-no-sibling', 'src/core', []),
    only('model', 'src/model', ['src/core']),
    only('protocol', 'src/protocol', ['src/core', 'src/model']),
    only('policy', 'src/policy', ['src/core', 'src/model', 'src/protocol']),
    only('workers', 'workers', [
      'src/core',
      'src/model',
      'src/protocol',
      'src/compute',
      'src/storage/journal-layout.ts',
    ]),
    only('compute', 'src/compute', ['src/core', 'src/model', 'workers']),
    only('storage', 'src/storage', ['src/core', 'src/model', 'src/compute']),
    only('net', 'src/net', ['src/core', 'src/model', 'src/protocol', 'src/policy']),
    only('swarm', 'src/swarm', [
      'src/core',
      'src/model',
      'src/protocol',
      'src/policy',
      'src/net',
      'src/compute',
      'src/storage',
    ]),
    only('tracker', 'src/tracker', ['src/core', 'src/model', 'src/protocol', 'src/policy', 'src/net']),
    only('metrics', 'src/metrics', ['src/core']),
    only('http', 'src/http', ['src/core', 'src/model', 'src/policy']),
    only('search', 'src/search', ['src/core', 'src/model', 'src/protocol', 'src/policy', 'src/net']),
    only('grafana-knows-names-of-metrics-alone', 'grafana', ['src/metrics/descriptors.ts']),
    only('daemon', 'src/daemon', [
      'src/core',
      'src/model',
      'src/protocol',
      'src/policy',
      'src/net',
      'src/compute',
      'src/storage',
      'src/swarm',
      'src/tracker',
      'src/metrics',
      'src/http',
      'src/search',
    ]),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
    },
  },
};

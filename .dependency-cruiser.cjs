/**
 * Who may import whom. Arrows point down and may skip levels: entries and consumers, composition root, shell and adapters,
 * ports, scheduler, the four core folders, spec and the base files. `npm run check` runs this, and
 * test/checks/import-rules.test.ts proves that the rules bite. A rule says in its comment why it is there.
 */

const base = '^src/(ids|units|errors)\\.ts$'
const coreFolders = ['spec', 'plan', 'state-machine', 'offer-evaluator', 'recovery', 'scheduler']
const core = `^src/(${coreFolders.join('|')})/`
const pure = `^src/(${coreFolders.join('|')}|doctor|mesos-model)/|${base}`
const entries = '^src/(index|testing|local-cluster|yaml)\\.ts$'
const texts = '^src/spec/(yaml|compat)/'
const messages = '^src/mesos/messages[^/]*\\.ts$'
const doctor = '^src/doctor/'
const compositionRoot = '^src/runtime/create-(scheduler|doctor)\\.ts$'
const npm = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown']

/** A folder of src may import only what is listed (of src): everything else in src is refused. */
const only = (name, comment, from, ...allowed) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: '^src/', pathNot: allowed },
})

/** An npm package may be imported only in the listed places of src. */
const packageOnlyIn = (name, comment, pattern, ...places) => ({
  name,
  severity: 'error',
  comment,
  from: { path: '^(src|examples)/', pathNot: places },
  to: { path: `(^|node_modules/)${pattern}(/|$)`, dependencyTypes: npm },
})

module.exports = {
  forbidden: [
    // The core.
    {
      name: 'core-without-node',
      severity: 'error',
      comment:
        'The core is a function of its inputs. A Node builtin brings I/O, a clock or randomness, and then a decision can ' +
        'neither be replayed nor simulated (docs/adr/0001-functional-core.md).',
      from: { path: pure },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-npm-packages',
      severity: 'error',
      comment:
        'The core needs no library but a schema checker, a transition table, hashing and a YAML reader; each of the four is ' +
        'held to its place by a rule of its own. Anything else would have to be shown pure first.',
      from: { path: pure },
      to: { dependencyTypes: npm, pathNot: ['(^|node_modules/)(zod|xstate|yaml|mustache|@noble/hashes)(/|$)'] },
    },
    only('base-imports-base', 'ids, units and errors are what everything stands on, so they stand on nothing.', base, base),
    only(
      'spec-imports-base',
      'The spec is what an author wrote. It knows no plan, task or cluster, so it can be checked without any of them.',
      '^src/spec/',
      '^src/spec/',
      base,
    ),
    only(
      'state-machine-imports-spec',
      'The life of one task depends on its events alone; what to do about it is decided above.',
      '^src/state-machine/',
      '^src/(state-machine|spec)/',
      base,
    ),
    only(
      'offer-evaluator-imports-spec',
      'The evaluator answers whether a requirement fits an offer. It imports none of its neighbours, so that plans and ' +
        'recovery cannot change what fits.',
      '^src/offer-evaluator/',
      '^src/(offer-evaluator|spec)/',
      base,
    ),
    only(
      'plan-imports-spec-and-records',
      'A plan is a view over target and records. It reads what task records look like and nothing of how they change.',
      '^src/plan/',
      '^src/(plan|spec)/',
      '^src/state-machine/[^/]*record[^/]*\\.ts$',
      base,
    ),
    only(
      'recovery-imports-plan-and-records',
      'Recovery judges records and builds with the same plan functions as a deployment, so both obey the same strategies.',
      '^src/recovery/',
      '^src/(recovery|plan|spec)/',
      '^src/state-machine/[^/]*record[^/]*\\.ts$',
      base,
    ),
    {
      name: 'records-are-read-as-types',
      severity: 'error',
      comment: 'plan and recovery may know the shape of a task record; reading and migrating one is the work of state-machine.',
      from: { path: '^src/(plan|recovery)/' },
      to: { path: '^src/state-machine/', dependencyTypesNot: ['type-only'] },
    },
    only(
      'scheduler-imports-core',
      'The scheduler ties the core together and must not know who calls it.',
      '^src/scheduler/',
      core,
      base,
    ),

    only(
      'doctor-imports-core',
      'The doctor compares what others have read. Nothing of the core may need it, and it decides nothing that a scheduler does.',
      doctor,
      doctor,
      core,
      base,
    ),

    // The ports.
    only(
      'ports-import-core',
      'A port is stated in the words of the core, not in those of an adapter.',
      '^src/ports/',
      '^src/ports/',
      core,
      base,
    ),
    {
      name: 'ports-are-types',
      severity: 'error',
      comment: 'A port is an interface. Code in it would be shared by all adapters and tested by none.',
      from: { path: '^src/ports/' },
      to: { path: '^src/', pathNot: ['^src/ports/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'ports-without-packages',
      severity: 'error',
      comment: 'An interface that names a type of a library binds every adapter to that library.',
      from: { path: '^src/ports/' },
      to: { dependencyTypes: [...npm, 'core'] },
    },

    // The shell and the adapters.
    only(
      'runtime-imports-ports',
      'The loop works against ports, so the same loop runs in a simulation and in production. Only the composition root knows ' +
        'which adapters there are.',
      '^src/runtime/(?!create-(scheduler|doctor)\\.ts$)',
      '^src/runtime/(?!create-(scheduler|doctor)\\.ts$)',
      '^src/ports/',
      doctor,
      core,
      base,
    ),
    only(
      'composition-root',
      'The files that choose adapters: one builds a scheduler, one the doctor. Hence no test kit, local cluster or command line.',
      compositionRoot,
      '^src/(runtime|ports|mesos|store|http)/',
      doctor,
      core,
      base,
    ),
    ...['mesos', 'store', 'http'].map((adapter) =>
      only(
        `${adapter}-imports-ports`,
        'An adapter fills a port and knows no other adapter and not the loop: each can be tested, replaced and blamed alone.',
        `^src/${adapter}/`,
        `^src/${adapter}/`,
        '^src/ports/',
        core,
        base,
      ),
    ),
    only(
      'mesos-model-imports-base',
      'The books of a master are written once, for the local cluster and the simulation; they know the wire format and nothing ' +
        'of this scheduler, or they would agree with its mistakes.',
      '^src/mesos-model/',
      '^src/mesos-model/',
      messages,
      base,
    ),
    {
      name: 'mesos-model-reads-types',
      severity: 'error',
      comment: 'Of the messages the model needs the types; parsing what came over a wire is the work of those who have a wire.',
      from: { path: '^src/mesos-model/' },
      to: { path: '^src/mesos/', dependencyTypesNot: ['type-only'] },
    },
    only(
      'local-cluster-imports-model',
      'The local cluster is the other side of the protocol. Sharing code with the driver would hide the mistakes of both.',
      '^src/local-cluster/',
      '^src/(local-cluster|mesos-model)/',
      messages,
      base,
    ),
    only(
      'testing-imports',
      "The test kit runs the real core in a virtual network: a real adapter in it would drag sockets into users' unit tests. " +
        "The driver's converters and pauses are pure, and what the virtual cluster is told has to be what Mesos would be told.",
      '^src/testing/',
      '^src/(testing|ports|runtime|mesos-model)/',
      messages,
      '^src/mesos/(convert[^/]*|retry-delay)\\.ts$',
      '^src/store/memory-store\\.ts$',
      core,
      base,
    ),

    // Entries and consumers.
    only(
      'cli-imports-entries',
      'The command line is a user of the public entries, or talks HTTP: what it needs, others need too. Only `cluster` starts ' +
        'the local cluster itself.',
      '^src/cli/',
      '^src/cli/',
      '^src/local-cluster/',
      entries,
    ),
    only(
      'index-exports',
      'The main entry exports the core, the ports and the scheduler; an adapter in it would be loaded by everyone.',
      '^src/index\\.ts$',
      '^src/(runtime|ports)/',
      doctor,
      core,
      base,
    ),
    only(
      'testing-exports',
      'stateward/testing shows the test kit and the types its answers are made of.',
      '^src/testing\\.ts$',
      '^src/(testing|ports)/',
      core,
      base,
    ),
    only(
      'local-cluster-exports',
      'stateward/local-cluster shows the local cluster alone.',
      '^src/local-cluster\\.ts$',
      '^src/local-cluster/',
      base,
    ),
    only('yaml-exports', 'stateward/yaml shows how specs are read from text.', '^src/yaml\\.ts$', '^src/spec/', base),
    {
      name: 'texts-for-yaml-alone',
      severity: 'error',
      comment: 'Who writes a spec in TypeScript loads no reader of YAML or templates: they come in through stateward/yaml.',
      from: { path: '^src/', pathNot: [texts, '^src/yaml\\.ts$'] },
      to: { path: texts },
    },
    {
      name: 'entries-are-not-imported',
      severity: 'error',
      comment: 'Inside, import the file that holds the name: an entry pulls in everything and makes cycles.',
      from: { path: '^src/', pathNot: ['^src/cli/'] },
      to: { path: entries },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      comment: 'What is published must not lean on tests, scripts, examples or its own build.',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|examples|dist|out)/' },
    },
    {
      name: 'examples-are-strangers',
      severity: 'error',
      comment: 'An example shows what a user can do, and a user has the public entries, a client library and Node.',
      from: { path: '^examples/' },
      to: {
        pathNot: [
          '^examples/',
          '^(stateward|stateward/testing|stateward/local-cluster|stateward/yaml)$',
          '(^|/)dist/(index|testing|local-cluster|yaml)\\.(js|d\\.ts)$',
          '(^|node_modules/)(kafkajs|cassandra-driver|vitest)(/|$)',
        ],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'examples-share-nothing',
      severity: 'error',
      comment: 'An example is copied out to begin a service of one’s own; a path into another example would break there.',
      from: { path: '^examples/([^/]+)/' },
      to: { path: '^examples/', pathNot: ['^examples/$1/'] },
    },

    // Libraries in their places.
    packageOnlyIn(
      'xstate-in-state-machine',
      'The next major of xstate changes its vocabulary: one folder pays (docs/adr/0003-xstate-as-table.md).',
      'xstate',
      '^src/state-machine/',
    ),
    packageOnlyIn(
      'zookeeper-in-store',
      'Reconnection, expiry and lost callbacks of the client are handled in one place, behind the store port.',
      'node-zookeeper-client',
      '^src/store/',
      '^src/mesos/leader\\.ts$',
    ),
    packageOnlyIn(
      'zod-at-the-boundary',
      'Values are checked where they enter: the spec, stored records, messages, HTTP bodies and plans of simulations in files. ' +
        'Behind it, types suffice.',
      'zod',
      '^src/(spec|http)/',
      '^src/testing/simulation/plan\\.ts$',
      '^src/.*record[^/]*\\.ts$',
      messages,
    ),
    packageOnlyIn(
      'hashes-in-spec',
      'Identity is content, and content is hashed where the spec is.',
      '@noble/hashes',
      '^src/spec/',
    ),
    packageOnlyIn('templates-in-spec', 'Text of an author becomes data in one place.', '(yaml|mustache)', texts),

    // Hygiene.
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'Files in a cycle cannot be read, tested or moved alone, and who comes first depends on who is imported first.',
      from: { path: '^(src|test|examples|scripts)/' },
      to: { circular: true },
    },
    {
      name: 'published-dependencies',
      severity: 'error',
      comment: 'What src imports is in dependencies, or a user who installs the package cannot run it.',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'An import that leads nowhere is a mistake, and no other rule would see it.',
      from: { path: '^(src|test|scripts)/' },
      to: { couldNotResolve: true, pathNot: ['^stateward(/|$)'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: ['^test/fixtures/', '/\\.cache/', '/target/'] },
    // Type-only imports count: a direction is a direction, and a cycle of types is one for the reader.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
    skipAnalysisNotInRules: true,
  },
}

/**
 * Lint rules. They look for bugs that types alone let through (a forgotten await, a promise in a callback slot, a missed
 * union case) and keep the core folders pure. Taste is left to Prettier; who may import whom, npm packages included, is in
 * `.dependency-cruiser.cjs`.
 */
import { builtinModules } from 'node:module'
import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

/** The functional core: same input, same output. `src/mesos-model` is the cluster's books, pure for the same reason. */
const core = [
  'src/{spec,plan,state-machine,offer-evaluator,recovery,scheduler,doctor,mesos-model}/**/*.ts',
  'src/{ids,units,errors}.ts',
]

const isInput = 'is an input of the core: take it from the event or from env (docs/adr/0001-functional-core.md)'
const impureGlobals = [
  ...['Date', 'performance', 'Temporal'].map((name) => ({ name, message: `Time ${isInput}.` })),
  ...['crypto', 'Crypto'].map((name) => ({ name, message: `Randomness ${isInput}.` })),
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask'].map(
    (name) => ({ name, message: 'The core has no timers: store a deadline and compare it with atMs.' }),
  ),
  ...['process', 'Buffer', 'require', 'global', 'globalThis', 'navigator'].map((name) => ({
    name,
    message: 'The core knows no environment; what it needs is handed in.',
  })),
  ...['console', 'fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'Worker', 'SharedArrayBuffer', 'Atomics'].map(
    (name) => ({
      name,
      message: 'The core does no I/O: return a call, a job or a report.',
    }),
  ),
  ...['Intl', 'WeakRef', 'FinalizationRegistry'].map((name) => ({
    name,
    message: 'The answer depends on the machine it runs on, so it cannot be replayed.',
  })),
]
const localeMethods = ['localeCompare', 'toLocaleString', 'toLocaleLowerCase', 'toLocaleUpperCase', 'toLocaleDateString']

const noBareError = {
  selector: 'ThrowStatement > NewExpression[callee.name=/^(Error|TypeError|RangeError)$/]',
  message: 'Throw an SdkError with a code, so that callers can branch on it (docs/adr/0006-errors.md).',
}
const noExportAll = {
  selector: 'ExportAllDeclaration[exported=null]',
  message: 'Name every export: one list says what is public, and no name appears in it by accident.',
}

export default defineConfig(
  globalIgnores(['**/dist/', '**/out/', '**/coverage/', '**/.cache/', '**/target/', 'test/fixtures/']),
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-self-compare': 'error',
      'no-unreachable-loop': 'error',
      'no-template-curly-in-string': 'error',
      'no-constructor-return': 'error',
      // `_name` says on purpose that a value is not used; the compiler reports the rest too.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/no-misused-promises': 'error',
      // A default branch counts, as foreign input needs one; a core switch must name every case (below).
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // An adapter implements an async interface; some of its methods have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': ['error', noBareError, noExportAll],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'A library reports; only the program ends the process.' },
      ],
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  {
    // Programs of their own: the command line, and the master and agents of the local cluster, each its own process.
    files: ['src/cli/**/*.ts', 'src/local-cluster/**/*.ts'],
    rules: { 'no-console': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: core,
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: `Randomness ${isInput}.` },
        ...localeMethods.map((property) => ({
          property,
          message: 'Compare and print by code unit: a locale is not the same everywhere.',
        })),
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: builtinModules.map((name) => ({ name, message: 'The core does no I/O (docs/adr/0001-functional-core.md).' })),
          patterns: [{ group: ['node:*'], message: 'The core does no I/O (docs/adr/0001-functional-core.md).' }],
        },
      ],
      'no-restricted-syntax': [
        'error',
        noBareError,
        noExportAll,
        { selector: 'ImportExpression', message: 'The core loads nothing at run time.' },
        { selector: 'AwaitExpression', message: 'The core is synchronous: what takes time is a call or a job.' },
        { selector: ':function[async=true]', message: 'The core is synchronous: what takes time is a call or a job.' },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: false }],
    },
  },
  {
    // xstate is a transition table here: no actor ever runs (docs/adr/0003-xstate-as-table.md).
    files: ['src/state-machine/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...builtinModules.map((name) => ({ name, message: 'The core does no I/O (docs/adr/0001-functional-core.md).' })),
            {
              name: 'xstate',
              importNames: [
                'createActor',
                'interpret',
                'fromPromise',
                'fromCallback',
                'fromObservable',
                'spawnChild',
                'raise',
                'sendTo',
              ],
              message: 'An actor acts when it likes; we store first. Use transition and initialTransition.',
            },
          ],
          patterns: [{ group: ['node:*'], message: 'The core does no I/O (docs/adr/0001-functional-core.md).' }],
        },
      ],
    },
  },
  {
    // Tests and scripts look into foreign JSON and hand around doubles; the promise rules stay on.
    files: ['test/**/*.ts', 'examples/*/test/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: { globals: { module: 'writable', process: 'readonly', console: 'readonly' } },
  },
)

import { defineConfig } from 'vitest/config'
import { mutants, mutateForTests } from './test/simulation/mutants.js'

/** A test build with a deliberate fault, which a test has to find (`npm run verify -- mutants`). */
const faulty = mutants.filter(({ name }) => name === process.env['STATEWARD_MUTANT']).map(mutateForTests)

// `unit` needs no network, clock or process and takes seconds; `e2e` runs real servers and processes from the built
// package, one file at a time, because two cores are all it may count on.
export default defineConfig({
  test: {
    projects: [
      {
        plugins: faulty,
        resolve: {
          alias: [
            { find: /^stateward$/, replacement: new URL('./src/index.ts', import.meta.url).pathname },
            { find: /^stateward\/testing$/, replacement: new URL('./src/testing.ts', import.meta.url).pathname },
            { find: /^stateward\/yaml$/, replacement: new URL('./src/yaml.ts', import.meta.url).pathname },
          ],
        },
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
          exclude: ['**/*.e2e.test.ts', '**/node_modules/**'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts', 'examples/*/test/**/*.e2e.test.ts'],
          exclude: ['**/node_modules/**'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})

import { defineConfig } from 'tsup'

// One build, so that there is one copy of every module: shared code goes to chunks.
export default defineConfig({
  entry: {
    index: 'src/index.ts',
    testing: 'src/testing.ts',
    'local-cluster': 'src/local-cluster.ts',
    yaml: 'src/yaml.ts',
    cli: 'src/cli/main.ts',
  },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  splitting: true,
  sourcemap: false,
  clean: true,
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
})

/**
 * `stateward/yaml`: services stated in YAML. An entry of its own, so that who writes in TypeScript loads no YAML reader.
 *
 * @example
 * const result = parseYamlSpec(readFileSync('service.yml', 'utf8'), { parameters: { count: 3 } })
 * if (!result.ok) for (const { line, path, message } of result.issues) console.error(`service.yml:${line}: ${path}: ${message}`)
 *
 * @module
 */
export type { ParameterValue } from './spec/parameter-value.js'
export { parseCompatSpec, type CompatOptions, type CompatResult, type CompatSettings } from './spec/compat/load.js'
export type { LocatedIssue } from './spec/yaml/document.js'
export { parseYamlSpec, type YamlSpecOptions, type YamlSpecResult } from './spec/yaml/load.js'
export { parseParameters, type GivenParameters, type ParametersResult } from './spec/yaml/parameters.js'

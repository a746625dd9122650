/**
 * How long specs made to be slow take, and how that grows with their size: a text four times as long may take four times as
 * long, not sixteen times. Measured by the fastest of several attempts, since the machine has other work.
 */
import { parseCompatSpec } from '../../src/spec/compat/load.js'
import { safeParseSpec } from '../../src/spec/parse.js'
import { findPlaceholders } from '../../src/spec/placeholders.js'
import { parseYamlSpec } from '../../src/spec/yaml/load.js'

export interface Growth {
  readonly cases: number
  /** What grows too fast. */
  readonly failures: readonly string[]
  readonly slowest: { readonly name: string; readonly ms: number }
}

/** Linear work takes 4 times as long, quadratic 16 times. */
const factor = 4
const tolerated = 9
/** Shorter times are noise. */
const noiseMs = 60
const attempts = 5

/** Asks each case with an input of `size` and one four times as long; only what the name contains, if given. */
export function measureGrowth(size: number, only?: (index: number) => boolean): Growth {
  const cases = allCases().filter((_, index) => only?.(index) ?? true)
  const failures: string[] = []
  let slowest = { name: 'none', ms: 0 }
  for (const { name, ask } of cases) {
    const [small, large] = grow(ask, size)
    if (large > slowest.ms) slowest = { name, ms: large }
    if (large > noiseMs && large > small * tolerated)
      failures.push(`${name}: ${small.toFixed(1)} ms for ${size}, ${large.toFixed(1)} ms for ${size * factor}`)
  }
  return { cases: cases.length, failures, slowest }
}

/** Tries again as long as it looks too slow: only the fastest attempt says something about the code. */
function grow(ask: (size: number) => unknown, size: number): readonly [number, number] {
  let [small, large] = [Infinity, Infinity]
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    small = Math.min(
      small,
      timeOf(() => ask(size)),
    )
    large = Math.min(
      large,
      timeOf(() => ask(size * factor)),
    )
    if (large <= noiseMs || large <= small * tolerated) break
  }
  return [small, large]
}

function timeOf(work: () => unknown): number {
  const begun = performance.now()
  work()
  return performance.now() - begun
}

interface Case {
  readonly name: string
  readonly ask: (size: number) => unknown
}

const run = (bait: string, size: number): string => bait.repeat(Math.ceil(size / bait.length))

/** A text of every kind that a pattern looks at, by the place that it has in the spec. */
const fields: Readonly<Record<string, (text: string) => object>> = {
  name: (text) => spec({}, { name: text }),
  user: (text) => spec({}, { user: text }),
  principal: (text) => spec({}, { principal: text }),
  role: (text) => spec({}, { role: text }),
  webUrl: (text) => spec({}, { webUrl: text }),
  'name of a value': (text) => spec({}, { values: { [text]: { generate: 'uuid' } } }),
  'name of a pod': (text) => ({ name: 'store', pods: { [text]: pod } }),
  'pod of a rule': (text) => spec({}, {}, { placement: [{ type: 'near', pod: text }] }),
  'pattern of a rule': (text) => spec({}, {}, { placement: [{ type: 'like', key: 'rack', pattern: text }] }),
  command: (text) => spec({ command: text }),
  'env value': (text) => spec({ env: { A: text.slice(0, 65_536) } }),
  'env name': (text) => spec({ env: { [text]: 'a' } }),
  envKey: (text) => spec({ ports: { a: { port: 0, envKey: text } } }),
  uri: (text) => spec({ uris: [text] }),
  outputFile: (text) => spec({ uris: [{ uri: 'http://a/b', outputFile: text }] }),
  'label name': (text) => spec({ labels: { [text]: 'a' } }),
  'config dest': (text) => spec({ configs: { a: { text: 'a', dest: text } } }),
  'volume path': (text) => spec({}, {}, { volumes: { a: { sizeMb: 1, path: text } } }),
  profile: (text) => spec({}, {}, { volumes: { a: { type: 'MOUNT', sizeMb: 1, profiles: [text] } } }),
  'host path': (text) => spec({}, {}, { hostVolumes: { a: { hostPath: text, path: 'a' } } }),
  gate: (text) => spec({}, { deploy: { preFlight: [text] } }),
  'unknown key': (text) => spec({ [text]: 1 }),
}

const task = { command: './run.sh', cpus: 1, memoryMb: 64 }
const pod = { count: 1, tasks: { server: task } }
const spec = (ofTask: object, ofService: object = {}, ofPod: object = {}): object => ({
  name: 'store',
  pods: { db: { ...pod, tasks: { server: { ...task, ...ofTask } }, ...ofPod } },
  ...ofService,
})

const texts: Readonly<Record<string, (size: number) => string>> = {
  'a-…!': (size) => `${run('a-', size)}!`,
  spaces: (size) => run(' ', size),
  'slashes and dots': (size) => `/${run('../', size)}`,
  'a/…!': (size) => `/${run('a/', size)}!`,
  'a.…!': (size) => `${run('a.', size)}!`,
  'http://a…': (size) => `http://${run('a', size)} `,
  'open braces': (size) => run('{{', size),
  'spaces after braces': (size) => `{{${run(' ', size)}`,
  'spaces after as': (size) => `{{peers.a.b as ${run(' ', size)}`,
  'braces in a format': (size) => `{{peers.a.b as ${run('{a}', size)}`,
  'open brace in a format': (size) => `{{peers.a.b as {${run('a', size)}`,
  'many formats': (size) => run('{{a as ', size),
  'many names': (size) => run('{{a ', size),
  'a long name': (size) => `{{${run('a.', size)}`,
}

const yamlTexts: Readonly<Record<string, (size: number) => string>> = {
  'open lists': (size) => run('[', size),
  'open maps': (size) => run('{a: ', size),
  'nested dashes': (size) => run('- ', size),
  'question marks': (size) => run('? ', size),
  commas: (size) => `[${run(',', size)}`,
  'blank lines, then comments': (size) => `a:\n${run('\n', size / 2)}${run('  #\n', size / 2)}`,
  'comments after a value': (size) => `a: 1\n${run('#\n', size)}`,
  'one key again and again': (size) => run('a: 1\n', size),
  'different keys': (size) => Array.from({ length: size / 10 }, (_, index) => `k${index}: 1\n`).join(''),
  'different keys in braces': (size) => `{${Array.from({ length: size / 10 }, (_, index) => `k${index}: 1,`).join('')}}`,
  'aliases of a scalar': (size) => `a: &a x\nb: [${run('*a,', size)}]`,
  'aliases of a list': (size) => `a: &a [${run('x,', size / 2)}]\nb: [${run('*a,', size / 2)}]`,
  anchors: (size) => Array.from({ length: size / 12 }, (_, index) => `- &k${index} 1\n`).join(''),
  documents: (size) => run('---\n', size),
  'an open quote': (size) => `"${run('x ', size)}`,
  'lines in quotes': (size) => `"${run('x\n ', size)}"`,
  'a plain text of many lines': (size) => `a: ${run('x\n ', size)}`,
  'spaces in a plain text': (size) => `a: b${run(' ', size)}\n c`,
  'a folded text': (size) => `a: >\n${run('   x\n\n', size)}`,
  tags: (size) => run('!a ', size),
  'wrong escapes': (size) => `"${run('\\q', size)}"`,
  digits: (size) => `a: ${run('1', size)}`,
  colons: (size) => run(':\n', size),
  'unknown keys, wrong values': (size) =>
    `name: 1\npods:\n${Array.from({ length: size / 20 }, (_, index) => `  p${index}: {count: x, y: 1}\n`).join('')}`,
  'pods without tasks': (size) =>
    `name: a\nx: 1\npods:\n${Array.from({ length: size / 20 }, (_, index) => `  p${index}x: {count: 1, tasks: {}}\n`).join('')}`,
  'parameters that nothing names': (size) =>
    `parameters:\n${Array.from({ length: size / 30 }, (_, index) => `  p${index}: {type: number, default: 1}\n`).join('')}name: a\n`,
  'references to nothing': (size) => `name: a\nx:\n${run(`  - 'a\${b}c'\n`, size)}`,
  'one text of references': (size) => `parameters: {b: {type: string, default: c}}\nname: '${run(`\${b}`, size)}'\n`,
  'open references': (size) => `name: '${run('${', size)}'\n`,
  'a key of dots': (size) => `name: \${x}\npods: {'${run('.', size)}': {count: \${x}}}\n`,
}

const templates: Readonly<Record<string, (size: number) => string>> = {
  sections: (size) => `${run('{{#A}}', size / 2)}${run('{{/A}}', size / 2)}`,
  'open sections': (size) => run('{{#A}}', size),
  'closed sections': (size) => run('{{/A}}', size),
  'sections side by side': (size) => run('{{#A}}x{{/A}}\n', size),
  variables: (size) => `name: ${run('{{A}}', size)}`,
  'missing variables': (size) => `name: ${run('{{B}}\n  ', size)}`,
  'open tags': (size) => run('{{', size),
  'open tags with spaces': (size) => `{{${run(' ', size)}`,
  comments: (size) => run('{{! a }}\n', size),
  'many pods': (size) =>
    `name: a\npods:\n${Array.from({ length: size / 90 }, (_, index) => `  p${index}x: {count: 1, tasks: {t: {goal: RUNNING, cmd: a, cpus: 1, memory: 64}}}\n`).join('')}`,
  'many faults': (size) =>
    `name: a\npods:\n${Array.from({ length: size / 60 }, (_, index) => `  p${index}x: {count: x, tasks: {t: {goal: WHAT, cmd: a, y: 1}}}\n`).join('')}`,
}

function allCases(): Case[] {
  const bySpec = Object.entries(fields).flatMap(([field, put]) =>
    Object.entries(texts).map(([kind, make]): Case => ({
      name: `${field}: ${kind}`,
      ask: (size) => safeParseSpec(put(make(size))),
    })),
  )
  const byText = Object.entries(texts).map(([kind, make]): Case => ({
    name: `placeholders: ${kind}`,
    ask: (size) => findPlaceholders(make(size)),
  }))
  const byYaml = Object.entries(yamlTexts).map(([kind, make]): Case => ({
    name: `yaml: ${kind}`,
    ask: (size) => parseYamlSpec(make(size)),
  }))
  const byTemplate = Object.entries(templates).flatMap(([kind, make]) =>
    [false, true].map((lenient): Case => ({
      name: `dcos-commons${lenient ? ', lenient' : ''}: ${kind}`,
      ask: (size) => parseCompatSpec(make(size), { env: { A: 'true' }, readTemplate: () => '', lenient }),
    })),
  )
  return [...bySpec, ...byText, ...byYaml, ...byTemplate]
}

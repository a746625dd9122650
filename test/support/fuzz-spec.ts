/**
 * Specs damaged in many ways, as values, as YAML and as templates of dcos-commons: each is refused with its problems and their
 * places, or is a whole spec; none takes long. Everything comes from the seed.
 */
import fc from 'fast-check'
import { stringify } from 'yaml'
import { canonicalJson } from '../../src/spec/canonical.js'
import { parseCompatSpec } from '../../src/spec/compat/load.js'
import { safeParseSpec } from '../../src/spec/parse.js'
import type { ServiceSpec } from '../../src/spec/schema.js'
import type { LocatedIssue } from '../../src/spec/yaml/document.js'
import { parseYamlSpec } from '../../src/spec/yaml/load.js'
import { chanceOf, type Chance } from '../../src/testing/virtual/chance.js'
import { specInputs } from './spec-arbitrary.js'

export interface FuzzedKind {
  inputs: number
  accepted: number
  refused: number
  issues: number
  /** Over half a second: shown, not failed. */
  slow: number
  slowestMs: number
}

export interface SpecFuzz {
  readonly kinds: Readonly<Record<string, FuzzedKind>>
  /** What must not be. */
  readonly failures: readonly string[]
}

type Answer = { readonly ok: true; readonly spec: ServiceSpec } | { readonly ok: false; readonly issues: readonly LocatedIssue[] }

/** More than this for any input is a failure; none is larger than a megabyte. */
const limitMs = 2_000
const slowMs = 500

export function fuzzSpecs(inputs: number, seed: number): SpecFuzz {
  const chance = chanceOf(seed, 'fuzz-spec')
  const bySize = (value: unknown): number => JSON.stringify(value).length
  const bases = fc.sample(specInputs, { numRuns: 40, seed }).sort((a, b) => bySize(a) - bySize(b))
  const makers = Object.entries(makersFrom(bases, chance))
  const kinds: Record<string, FuzzedKind> = {}
  const failures: string[] = []
  const builtins = Object.getOwnPropertyNames(Object.prototype).length
  for (let input = 0; input < inputs; input += 1) {
    const [kind, make] = chance.pick(makers)
    const { shown, ask, place } = make()
    const begun = performance.now()
    const verdict = judge(ask, place)
    const took = performance.now() - begun
    const figures = (kinds[kind] ??= { inputs: 0, accepted: 0, refused: 0, issues: 0, slow: 0, slowestMs: 0 })
    figures.inputs += 1
    figures.accepted += verdict.issues === 0 ? 1 : 0
    figures.refused += verdict.issues === 0 ? 0 : 1
    figures.issues += verdict.issues
    figures.slow += took > slowMs ? 1 : 0
    figures.slowestMs = Math.max(figures.slowestMs, took)
    const problem =
      verdict.problem ??
      (took > limitMs ? `took ${Math.round(took)} ms` : undefined) ??
      (Object.getOwnPropertyNames(Object.prototype).length > builtins ? 'every object has changed' : undefined)
    if (problem !== undefined) failures.push(`${kind}: ${problem}: ${excerpt(shown())}`)
  }
  return { kinds, failures }
}

const excerpt = (text: string): string => (text.length > 1_500 ? `${text.slice(0, 1_500)}... (${text.length})` : text)

interface Input {
  readonly shown: () => string
  readonly ask: () => Answer
  /** What each problem has: a line, a path or a line, or nothing when the input is no object at all. */
  readonly place: 'line' | 'path' | 'none'
}

/** Smaller ones more often: an input takes time by its size. */
const pickSmall = <Item>(items: readonly Item[], chance: Chance): Item =>
  items[Math.floor(chance.next() ** 2 * items.length)] as Item

function makersFrom(bases: readonly unknown[], chance: Chance): Readonly<Record<string, () => Input>> {
  const texts = [...Array.from({ length: 10 }, () => parameterText), ...bases.map((base) => stringify(base))]
  return {
    structure() {
      const value = damageValue(structuredClone(pickSmall(bases, chance)), chance)
      const place =
        typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map) ? 'path' : 'none'
      return { shown: () => safeJson(value), ask: () => safeParseSpec(value), place }
    },
    yaml() {
      const text = damageText(pickSmall(texts, chance), chance, yamlSnippets)
      const parameters = chance.pick(given)
      return { shown: () => text, ask: () => parseYamlSpec(text, { parameters }), place: 'line' }
    },
    'yaml of a damaged structure'() {
      const text = toYaml(damageValue(structuredClone(pickSmall(bases, chance)), chance))
      return { shown: () => text, ask: () => parseYamlSpec(text), place: 'line' }
    },
    'dcos-commons'() {
      const text = damageText(chance.pick(templates), chance, templateSnippets)
      const [env, lenient] = [chance.pick(environments), chance.happens(0.5)]
      const readTemplate = (path: string): string => {
        if (chance.happens(0.2)) throw new Error(`no such file: ${path}`)
        return damageText('port={{PORT_CLIENT}}\n', chance, templateSnippets)
      }
      return {
        shown: () => `${lenient} ${text}`,
        ask: () => parseCompatSpec(text, { env, readTemplate, lenient }),
        place: 'path',
      }
    },
  }
}

/** Not every odd value can be written. */
function toYaml(value: unknown): string {
  try {
    return stringify(value) ?? String(value)
  } catch {
    return safeJson(value)
  }
}

const safeJson = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch (error) {
    return String(error)
  }
}

/** What the runtime says when nobody has thought of something. */
const internal =
  /is not a function|Cannot read|Cannot convert|call stack|is not iterable|before initialization|Invalid array length/

function judge(ask: () => Answer, place: Input['place']): { readonly issues: number; readonly problem?: string } {
  let answer: Answer
  try {
    answer = ask()
  } catch (error) {
    return { issues: 1, problem: `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` }
  }
  if (!answer.ok) return judgeIssues(answer.issues, place)
  const problem = wholeProblem(answer.spec)
  return { issues: 0, ...(problem === undefined ? {} : { problem }) }
}

function judgeIssues(
  issues: readonly LocatedIssue[],
  place: Input['place'],
): { readonly issues: number; readonly problem?: string } {
  const count = Math.max(issues.length, 1)
  if (issues.length === 0) return { issues: count, problem: 'refused without a word' }
  for (const issue of issues) {
    const text = JSON.stringify(issue)
    if (issue.message.trim() === '' || internal.test(issue.message)) return { issues: count, problem: `says ${text}` }
    const isPlaced = issue.line !== undefined || (place === 'path' && issue.path !== '') || place === 'none'
    // The last one may say that there are more.
    if (!isPlaced && !(issue === issues.at(-1) && issue.message.includes('more problems')))
      return { issues: count, problem: `says ${text}, without a place` }
  }
  return { issues: count }
}

/** A spec that was accepted is whole: read again, it is the same. */
function wholeProblem(spec: ServiceSpec): string | undefined {
  const again = safeParseSpec(JSON.parse(JSON.stringify(spec)))
  if (!again.ok) return `accepted, and refused when read again: ${JSON.stringify(again.issues[0])}`
  return canonicalJson(again.spec) === canonicalJson(spec) ? undefined : `reads differently again: ${canonicalJson(spec)}`
}

/** Values that somebody might put anywhere. */
const oddValues: readonly ((chance: Chance) => unknown)[] = [
  () => null,
  () => undefined,
  () => '',
  () => 0,
  () => -0,
  () => -1,
  () => 1.5,
  () => NaN,
  () => Infinity,
  () => 1e21,
  () => Number.MAX_SAFE_INTEGER,
  () => true,
  () => [],
  () => ({}),
  () => [null],
  () => [[[[]]]],
  () => ({ type: 'maxPerHost', max: 1 }),
  () => ({ type: 'not', rule: { type: 'all', rules: [{ type: 'any', rules: [] }] } }),
  () => ({ type: 'near', pod: 'toString' }),
  () => [{ pod: 'constructor', steps: [{ instance: 'default', tasks: [['valueOf']] }] }],
  () => 'constructor',
  () => '__proto__',
  () => '{{peers.constructor.x}}{{values.toString}}{{ports.valueOf}}',
  () => 'unlimited',
  () => 'default',
  () => '\0\ud800\u2028',
  () => '{{values.clusterId}}',
  (chance) => baitOf(chance, chance.pick([100, 1_000, 10_000])),
  (chance) => chance.between(-10, 70_000),
  (chance) => nested(chance.pick([5, 200, 2_000])),
  (chance) => Object.fromEntries(Array.from({ length: chance.pick([10, 1_000]) }, (_, index) => [`k${index}`, index])),
  (chance) => Array.from({ length: chance.pick([10, 1_000]) }, (_, index) => ({ name: `k${index}`, pod: 'db' })),
  () => () => 1,
  () => Symbol('odd'),
  () => 10n,
  () => new Map([['a', 1]]),
]

const oddKeys = [
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '',
    ' ',
    '.',
    'a.b',
    '0',
    '-1',
    'é',
    '\0',
    '<<',
    '*x',
    'null',
  ],
  ...['default', 'x'.repeat(300), 'a-'.repeat(2_000), '.'.repeat(2_000), 'db', 'web', 'server', 'length', `\${a}`],
]

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

/** Long runs of what a pattern might try in many ways. */
const baits = [
  ...['a', ' ', '\n', '\t', '0', '1', '-', '.', '/', ':', '{', '}', '{{', '}}', '{{{', '$', '${', '$$', '"', '\\', '#'],
  ...[
    'a-',
    'a.',
    'a/',
    '../',
    '/a',
    '{{a',
    '{{a as ',
    '{{a as {b',
    '{a}',
    '{{a}}',
    '${a',
    `\${a}`,
    '$${',
    '(a+)+',
    'a|',
    '0.0',
    'é',
  ],
] as const
/** Before and after the run. */
const baitEnds = ['', 'a', '!', '{{a', '{{peers.a.b as ', '}}', 'http://', '/', ' ', '${', '}'] as const

function baitOf(chance: Chance, size: number): string {
  const bait = chance.pick(baits)
  return chance.pick(baitEnds) + bait.repeat(Math.ceil(size / bait.length)) + chance.pick(baitEnds)
}

type Holder = Record<PropertyKey, unknown>

/** One to four changes, each somewhere. */
function damageValue(root: unknown, chance: Chance): unknown {
  let value = root
  for (let changes = chance.pick([1, 1, 2, 4]); changes > 0; changes -= 1) {
    const places = placesOf(value)
    const place = chance.pick(places)
    if (place === undefined || chance.happens(0.01)) value = chance.pick(oddValues)(chance)
    else damagePlace(place.holder, place.key, places, chance)
  }
  return value
}

interface HeldPlace {
  readonly holder: Holder
  readonly key: string
}

function placesOf(root: unknown): HeldPlace[] {
  const places: HeldPlace[] = []
  const open: unknown[] = [root]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null || places.length > 3_000) continue
    for (const [key, inner] of Object.entries(value)) {
      places.push({ holder: value as Holder, key })
      open.push(inner)
    }
  }
  return places
}

function damagePlace(holder: Holder, key: string, places: readonly HeldPlace[], chance: Chance): void {
  const set = (name: string, value: unknown): void =>
    void Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true })
  switch (chance.between(0, 5)) {
    case 0:
      Reflect.deleteProperty(holder, key)
      break
    case 1:
      if (Array.isArray(holder)) holder.push(chance.pick(oddValues)(chance))
      else set(chance.pick(oddKeys), chance.happens(0.5) ? holder[key] : chance.pick(oddValues)(chance))
      break
    case 2: {
      const other = chance.pick(places)
      set(key, structuredCloneOr(other.holder[other.key]))
      break
    }
    case 3: {
      if (Array.isArray(holder)) break
      const value = holder[key]
      Reflect.deleteProperty(holder, key)
      set(chance.pick(oddKeys), value)
      break
    }
    default:
      set(key, chance.pick(oddValues)(chance))
  }
}

function structuredCloneOr(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return 'not to be cloned'
  }
}

const yamlSnippets: readonly ((chance: Chance) => string)[] = [
  () => '\n---\n',
  () => '\n...\n',
  () => '%YAML 1.1\n---\n',
  () => '<<: *x\n',
  () => '&x [*x]',
  () => '*nowhere',
  () => '&x ',
  () => '*x',
  () => '!!binary "AA=="',
  () => '!!js/function "x"',
  () => '!<tag:yaml.org,2002:constructor> {}',
  () => '? [a, b]\n: c\n',
  () => '? {a: 1}\n: c\n',
  () => '__proto__: {polluted: 1}\n',
  () => '"__proto__": 1\n',
  () => '\t',
  () => '\0',
  () => '\ufeff',
  () => '\r',
  () => '\ud800',
  () => ': ',
  () => '- ',
  () => '|\n',
  () => '>-2\n',
  () => "'",
  () => '"',
  () => '"\\x',
  () => '9999999999999999999999',
  () => '.inf',
  () => '.nan',
  () => '0x10',
  () => '1: 2\n',
  () => 'null: 2\n',
  () => `\${count}`,
  () => `\${nowhere}`,
  () => '${',
  () => `$\${x}`,
  () => '{{pod.index}}',
  () => '{{pod',
  () => 'parameters: {count: 1}\n',
  (chance) => explodingAliases(chance.pick([5, 12, 200])),
  (chance) => '['.repeat(chance.pick([50, 101, 5_000])),
  (chance) => '{a: '.repeat(chance.pick([50, 101, 5_000])),
  (chance) => '- '.repeat(chance.pick([50, 5_000])),
  (chance) => baitOf(chance, chance.pick([100, 10_000])),
  (chance) => `${' '.repeat(chance.between(0, 12))}k: v\n`,
]

/** Each level repeats the one before ten times. */
function explodingAliases(levels: number): string {
  const lines = ['\nl0: &l0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < levels; level += 1)
    lines.push(`l${level}: &l${level} [${Array.from({ length: 10 }, () => `*l${level - 1}`).join(', ')}]`)
  return `${lines.join('\n')}\n`
}

/** Up to four changes of bytes, lines and pieces. */
function damageText(text: string, chance: Chance, snippets: readonly ((chance: Chance) => string)[]): string {
  let damaged = text
  for (let changes = chance.pick([0, 1, 1, 2, 4]); changes > 0; changes -= 1) damaged = changeText(damaged, chance, snippets)
  return damaged
}

function changeText(text: string, chance: Chance, snippets: readonly ((chance: Chance) => string)[]): string {
  const [from, to] = [chance.between(0, text.length), chance.between(0, text.length)].sort((a, b) => a - b) as [number, number]
  const lines = text.split('\n')
  const line = chance.between(0, lines.length - 1)
  switch (chance.between(0, 7)) {
    case 0: {
      const bytes = Buffer.from(text, 'utf8')
      const at = chance.between(0, Math.max(0, bytes.length - 1))
      bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.between(0, 7))
      return bytes.toString('utf8')
    }
    case 1:
      return text.slice(0, from)
    case 2:
      return text.slice(0, from) + text.slice(Math.min(to, from + 30))
    case 3:
      return lines.toSpliced(line, 0, lines[line] ?? '').join('\n')
    case 4:
      return lines.toSpliced(line, 1).join('\n')
    case 5: {
      const indent = ' '.repeat(chance.between(0, 4))
      return lines.toSpliced(line, 1, indent + (lines[line] ?? '').trimStart()).join('\n')
    }
    case 6:
      return lines.toSpliced(line, 0, chance.pick(snippets)(chance)).join('\n')
    default:
      return text.slice(0, from) + chance.pick(snippets)(chance) + text.slice(from)
  }
}

const parameterText = `parameters:
  count: { type: number, default: 3, min: 1, max: 9 }
  greeting: { type: string, oneOf: [hello, hi], description: Said at the start. }
  essential: { type: boolean, default: true }
name: notes
values: { clusterId: { generate: uuid } }
pods:
  node: &node
    count: \${count}
    placement: [{ type: maxPerHost, max: 1 }]
    volumes: { data: { sizeMb: 64 } }
    tasks:
      server:
        command: |
          echo "\${greeting}, $\${HOME}"
          sleep 1000
        env: { ID: '{{values.clusterId}}', HOW: 'count=\${count}', PEERS: '{{peers.node.client as {index}@{address}:{port}}}' }
        cpus: 0.1
        memoryMb: 32
        essential: \${essential}
        ports: { client: { port: 0, envKey: PORT } }
        readinessCheck: { command: test -f up }
`

const given: readonly Readonly<Record<string, string | number | boolean>>[] = [
  {},
  {},
  {},
  { greeting: 'hello' },
  { greeting: 'hi', count: 1 },
  { greeting: 'hello', count: '5', essential: false },
  { greeting: 'nobody', count: 'x' },
  { count: 1e300, toString: 1, constructor: 'x' },
  { count: NaN, greeting: `\${greeting}` },
]

/** Services as they were written for dcos-commons. */
const templates = [
  `name: {{FRAMEWORK_NAME}}
scheduler:
  principal: {{FRAMEWORK_PRINCIPAL}}
  user: {{FRAMEWORK_USER}}
pods:
  hello:
    count: {{HELLO_COUNT}}
    placement: '{{{HELLO_PLACEMENT}}}'
    {{#ENABLE_VIRTUAL_NETWORK}}
    networks:
      {{VIRTUAL_NETWORK_NAME}}:
        labels: {{VIRTUAL_NETWORK_PLUGIN_LABELS}}
    {{/ENABLE_VIRTUAL_NETWORK}}
    volume:
      path: hello-container-path
      type: ROOT
      size: {{HELLO_DISK}}
    tasks:
      server:
        goal: RUNNING
        cmd: env && echo hello >> hello-container-path/output && sleep $SLEEP_DURATION
        cpus: {{HELLO_CPUS}}
        memory: {{HELLO_MEM}}
        ports:
          client:
            port: 0
            env-key: PORT_CLIENT
            vip:
              prefix: hello
              port: 80
        env:
          SLEEP_DURATION: {{SLEEP_DURATION}}
        configs:
          main:
            template: main.mustache
            dest: conf/main.cfg
        health-check:
          cmd: stat hello-container-path/output
          interval: 5
          grace-period: 30
          delay: 0
          timeout: 10
          max-consecutive-failures: 3
        readiness-check:
          cmd: stat hello-container-path/output
          interval: 5
          delay: 0
          timeout: 10
plans:
  deploy:
    strategy: serial
    phases:
      hello-deploy:
        strategy: parallel
        pod: hello
`,
  `name: sets
pods:
  meta:
    count: 2
    resource-sets:
      main: { cpus: 0.5, memory: 256, volume: { path: data, type: ROOT, size: 50 } }
    tasks:
      server: { goal: RUNNING, cmd: ./serve, resource-set: main }
      backup: { goal: ONCE, cmd: ./save, cpus: 0.1, memory: 32 }
plans:
  save:
    phases:
      save: { strategy: serial, pod: meta, steps: [{ default: [[backup]] }] }
`,
]

const environments: readonly Readonly<Record<string, string>>[] = [
  {},
  {
    FRAMEWORK_NAME: 'hello-world',
    FRAMEWORK_PRINCIPAL: 'hello-principal',
    FRAMEWORK_USER: 'root',
    HELLO_COUNT: '2',
    HELLO_PLACEMENT: '[["hostname", "MAX_PER", "1"]]',
    HELLO_DISK: '50',
    HELLO_CPUS: '0.5',
    HELLO_MEM: '256',
    SLEEP_DURATION: '1000',
    TASKCFG_ALL_EXTRA: 'x',
    TASKCFG_HELLO_MORE: 'y',
  },
  {
    FRAMEWORK_NAME: 'a\nb: c',
    HELLO_COUNT: '{{HELLO_COUNT}}',
    HELLO_PLACEMENT: '[[['.repeat(200),
    HELLO_DISK: '-1',
    HELLO_CPUS: '1e99',
    HELLO_MEM: '',
    SLEEP_DURATION: '"',
    ENABLE_VIRTUAL_NETWORK: 'TRUE',
    VIRTUAL_NETWORK_NAME: 'dcos',
    VIRTUAL_NETWORK_PLUGIN_LABELS: 'a:b,c',
    TASKCFG_ALL_: 'x',
    TASKCFG_ALL_toString: 'y',
    __proto__x: 'z',
  },
]

const templateSnippets: readonly ((chance: Chance) => string)[] = [
  ...yamlSnippets,
  () => '{{#A}}',
  () => '{{/A}}',
  () => '{{^A}}',
  () => '{{=<% %>=}}',
  () => '{{> x}}',
  () => '{{! x }}',
  () => '{{{X',
  () => '{{constructor}}',
  () => '{{__proto__}}',
  () => '{{HELLO_COUNT.length}}',
  () => '{{.}}',
  () => "placement: 'hostname:LIKE:(a+)+$'\n",
  () => 'placement: \'[["hostname", "GROUP_BY", "x"]]\'\n',
  () => 'goal: running\n',
  () => 'volume: {path: a, type: MOUNT, size: 1}\n',
  () => 'replacement-failure-policy: {permanent-failure-timeout-secs: 1}\n',
  (chance) => '{{#A}}'.repeat(chance.pick([10, 2_000])),
]

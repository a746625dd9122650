/**
 * A realm in which only JavaScript itself exists: the core, bundled into one script, runs in a `node:vm` context where every
 * clock, timer, source of chance and door to the outside throws and is noted with the file that reached for it. What goes in
 * is copied and frozen, so that a change of an input throws as well.
 */
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { createContext, Script } from 'node:vm'
import { context, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '../..')

/** One reach for something impure: what, and by which file. */
export interface Use {
  readonly what: string
  readonly file: string
}

export interface PureRealm {
  readonly core: Readonly<Record<string, (...args: unknown[]) => unknown>>
  /** A frozen copy made of the realm's own objects; the same object again for what was adopted or found equal before. */
  adopt(value: unknown): unknown
  /** Where a value of the realm differs from one of ours, in content or order; undefined if nowhere. Freezes it. */
  findDifference(ours: unknown, theirs: unknown): string | undefined
  readonly uses: readonly Use[]
}

/** Rewrites the text of one source file before it is bundled. */
export interface Rewrite {
  /** From the root of the project. */
  readonly file: string
  readonly change: (text: string) => string
}

export interface Bundler {
  /** Every export of the files as one script that leaves them in `core`. Packages are those that Node would take. */
  bundle(rewrite?: Rewrite): Promise<string>
  close(): Promise<void>
}

/** Builds again and again what differs in one of the `rewritable` files only. */
export async function createBundler(files: readonly string[], rewritable: readonly string[]): Promise<Bundler> {
  let current: Rewrite | undefined
  const rewriting: Plugin = {
    name: 'rewriting',
    setup(builder) {
      builder.onLoad({ filter: new RegExp(`/(${rewritable.join('|')})$`) }, async ({ path }) => {
        if (relative(root, path) !== current?.file) return undefined
        return { contents: current.change(await readFile(path, 'utf8')), loader: 'ts' }
      })
    },
  }
  const builds = await context({
    stdin: { contents: files.map((file) => `export * from './${file}'`).join('\n'), resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'core',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    // As in the modules that it is made of.
    banner: { js: '"use strict";' },
    plugins: [rewriting],
  })
  return {
    async bundle(rewrite) {
      current = rewrite
      const { outputFiles } = await builds.rebuild()
      return outputFiles[0]?.text ?? ''
    },
    close: () => builds.dispose(),
  }
}

/** What a script may find in the global object beside JavaScript's own, here by a trap each. */
const outside = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask'],
  ...[
    'process',
    'performance',
    'crypto',
    'fetch',
    'require',
    'module',
    'Buffer',
    'global',
    'navigator',
    'console',
    'TextEncoder',
  ],
  // JavaScript's own, but their answers depend on the machine or the moment.
  ...['Intl', 'WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics'],
]

export function openRealm(script: string, isAllowed: (use: Use) => boolean = () => false): PureRealm {
  const uses: Use[] = []
  const lines = script.split('\n')
  /** The bundler heads each file's part with its path. */
  const fileOfLine = (line: number): string => {
    for (let at = line; at >= 0; at--) {
      const found = /^ {2}\/\/ ((?:src|node_modules)\/\S+)$/.exec(lines[at] ?? '')
      if (found?.[1] !== undefined) return found[1]
    }
    return 'the bundle'
  }
  const reach = (what: string): void => {
    const frame = /core\.js:(\d+)/.exec(new Error().stack ?? '')
    const use = { what, file: frame === null ? 'nobody' : fileOfLine(Number(frame[1]) - 1) }
    uses.push(use)
    if (!isAllowed(use)) throw new Error(`${use.file} reaches for ${what}`)
  }

  const realm = createContext(Object.create(null) as object)
  const run = (text: string, filename: string): unknown => new Script(text, { filename }).runInContext(realm)
  const close = run(trapsText, 'traps.js') as (
    reach: (what: string) => void,
    outside: readonly string[],
    encoder: typeof TextEncoder,
  ) => void
  close(reach, outside, TextEncoder)
  const copy = run(copyText, 'copy.js') as (value: unknown, known: WeakMap<object, object>) => unknown
  const freeze = run(freezeText, 'freeze.js') as (value: object) => void
  run(script, 'core.js')

  const theirsOf = new WeakMap<object, object>()
  const oursOf = new WeakMap<object, object>()
  const findDifference = (ours: unknown, theirs: unknown): string | undefined => {
    if (!isObject(ours) || !isObject(theirs)) return Object.is(ours, theirs) ? undefined : `${show(ours)} became ${show(theirs)}`
    if (oursOf.get(theirs) === ours) return undefined
    const [mine, other] = [partsOf(ours), partsOf(theirs)]
    if (mine.length !== other.length) return `${mine.length} parts became ${other.length}`
    for (const [index, [key, value]] of mine.entries()) {
      const [otherKey, otherValue] = other[index] ?? []
      if (!Object.is(key, otherKey)) return `${show(key)} became ${show(otherKey)}`
      const difference = findDifference(value, otherValue)
      if (difference !== undefined) return `${show(key)}: ${difference}`
    }
    freeze(theirs)
    oursOf.set(theirs, ours)
    theirsOf.set(ours, theirs)
    return undefined
  }
  return {
    core: run('core', 'core.js') as PureRealm['core'],
    adopt: (value) => copy(value, theirsOf),
    findDifference,
    uses,
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const show = (value: unknown): string => (isObject(value) ? Object.prototype.toString.call(value) : String(value))

/** Kind and content in order; a map of another realm is a map all the same. */
function partsOf(value: object): (readonly [key: unknown, value: unknown])[] {
  const kind = Object.prototype.toString.call(value)
  const head = ['kind', kind] as const
  if (kind === '[object Map]') return [head, ...(value as ReadonlyMap<unknown, unknown>)]
  if (kind === '[object Set]') return [head, ...[...(value as ReadonlySet<unknown>)].map((entry) => [entry, entry] as const)]
  return [head, ...Object.entries(value)]
}

/** Runs in the realm: every use of what is not JavaScript's own, or not the same at every run, is reported first. */
const trapsText = `((reach, outside, TextEncoder) => {
  /** What an allowed look finds: text to bytes, a console to be bound that must not be called, or nothing. */
  const standIns = { TextEncoder, console: { log() { reach('console.log') } } }
  const stand = (name) => {
    reach(name)
    return standIns[name]
  }
  for (const name of outside) {
    Object.defineProperty(globalThis, name, { configurable: true, get() { return stand(name) }, set() { reach(name) } })
  }
  Object.defineProperty(Math, 'random', { get() { reach('Math.random') } })
  const TrueDate = Date
  const harmless = new Set(['prototype', 'name', 'length', Symbol.hasInstance])
  const TrappedDate = new Proxy(TrueDate, {
    construct() { reach('new Date'); return {} },
    apply() { reach('Date()') },
    get(target, key) { if (!harmless.has(key)) reach('Date.' + String(key)); return target[key] },
  })
  TrueDate.prototype.constructor = TrappedDate
  globalThis.Date = TrappedDate
})`

/** Runs in the realm: plain data only, for whatever else a function of the core were given could act. */
const copyText = `((value, known) => {
  const refuse = () => { throw new TypeError('an input of the core was changed') }
  const copy = (value) => {
    if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError('not data: ' + String(value))
    if (typeof value !== 'object' || value === null) return value
    const seen = known.get(value)
    if (seen !== undefined) return seen
    const made = make(value)
    known.set(value, made)
    return made
  }
  const make = (value) => {
    const kind = Object.prototype.toString.call(value)
    if (Array.isArray(value)) return Object.freeze(Array.from(value, copy))
    if (kind === '[object Map]')
      return Object.assign(new Map(Array.from(value, ([key, entry]) => [copy(key), copy(entry)])), { set: refuse, delete: refuse, clear: refuse })
    if (kind === '[object Set]') return Object.assign(new Set(Array.from(value, copy)), { add: refuse, delete: refuse, clear: refuse })
    if (kind !== '[object Object]') throw new TypeError('not data: ' + kind)
    return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copy(entry)])))
  }
  return copy(value)
})`

/** Runs in the realm: one object, not what it holds. */
const freezeText = `((value) => {
  const refuse = () => { throw new TypeError('an earlier output of the core was changed') }
  if (value instanceof Map) Object.assign(value, { set: refuse, delete: refuse, clear: refuse })
  else if (value instanceof Set) Object.assign(value, { add: refuse, delete: refuse, clear: refuse })
  else Object.freeze(value)
})`

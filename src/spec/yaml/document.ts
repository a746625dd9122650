/**
 * YAML text as plain data whose every part knows its line. YAML 1.2 with the core schema: `yes`, dates and `<<` are plain text
 * or refused, never something else in silence. Whatever the text is, the answer is a value or a list of problems, and the work
 * grows no faster than the text: length, depth and what aliases repeat are bounded before anything is built. Pure.
 */
import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  Parser,
  type Alias,
  type CST,
  type Node,
  type Pair,
  type Scalar,
} from 'yaml'
import type { SpecIssue } from '../issues.js'

/** A problem with its place in the text. */
export interface LocatedIssue extends SpecIssue {
  /** From 1; left out when the problem has no place in the text. */
  readonly line?: number
  /** From 1, in UTF-16 code units. */
  readonly column?: number
}

/** A place in a text, both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface YamlDocument {
  /** Maps as plain objects in the order of the text, lists, text, finite or infinite numbers, booleans, null. */
  readonly value: unknown
  /**
   * Where the value at the path begins, or its key. For a path that is not there: the key of the innermost entry around it
   * that is. For an item of a list, and for the whole: the value itself.
   */
  locate(path: readonly PropertyKey[], what?: 'key' | 'value'): Position | undefined
}

export type YamlResult =
  { readonly ok: true; readonly document: YamlDocument } | { readonly ok: false; readonly issues: readonly LocatedIssue[] }

/** UTF-16 code units. */
const maxTextLength = 1_000_000
/** Words, marks, line ends and the like. A text of the greatest length has fewer, unless it was made to be slow. */
const maxLexemes = 500_000
/** Maps and lists inside each other, through aliases too; no spec comes near it, and nothing that walks a value overflows. */
const maxDepth = 100
/** What aliases repeat, in all: nodes, and code units of text. */
const maxRepeatedNodes = 100_000
const maxRepeatedText = 1_000_000
/** More would not be read by anybody, and take long to find. */
const maxIssues = 100

/** All problems at once, each with its line. */
export function parseYaml(text: string): YamlResult {
  if (text.length > maxTextLength)
    return refuse([
      { path: '', message: `the text has ${text.length} characters, ${maxTextLength} is the limit`, line: 1, column: 1 },
    ])
  const toPosition = positionsOf(text)
  const issues: LocatedIssue[] = []
  const say: Say = (offset, message, path = []) => {
    if (issues.length >= maxIssues) throw new TooMany()
    issues.push({ path: path.map(String).join('.'), message, ...toPosition(offset) })
  }
  try {
    const content = compose(text, say)
    if (content === undefined || issues.length > 0) return refuse(issues)
    const root = readNode(content, [], { anchors: new Map(), repeated: { nodes: 0, text: 0 }, say })
    if (issues.length > 0) return refuse(issues)
    return { ok: true, document: { value: root.value, locate: (path, what = 'value') => toPosition(find(root, path, what)) } }
  } catch (error) {
    if (error instanceof TooMany) return refuse([...issues, { path: '', message: 'more problems follow; correct these first' }])
    // The parser is foreign code, and its input can be anything.
    const found = error instanceof Error ? error.message : String(error)
    return refuse([...issues, { path: '', message: `cannot be read as YAML: ${found}`, line: 1, column: 1 }])
  }
}

type Say = (offset: number, message: string, path?: readonly PropertyKey[]) => void

/** Ends the reading when there are as many problems as are reported. */
class TooMany extends Error {}

/** In the order of the text; what has no place comes last. */
function refuse(issues: readonly LocatedIssue[]): YamlResult {
  const by = (key: 'line' | 'column') => (a: LocatedIssue, b: LocatedIssue) => (a[key] ?? Infinity) - (b[key] ?? Infinity)
  return { ok: false, issues: [...issues].sort((a, b) => by('line')(a, b) || by('column')(a, b)) }
}

/** Answers the place of an offset in logarithmic time. */
function positionsOf(text: string): (offset: number) => Position {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}

/** The content of the one document of the text; `undefined` when a problem was said. */
function compose(text: string, say: Say): Node | undefined {
  const tokens = toTokens(text, say)
  if (tokens === undefined) return undefined
  // Keys are compared here, not by the library, which compares each with each.
  const composer = new Composer({ version: '1.2', schema: 'core', merge: false, resolveKnownTags: false, uniqueKeys: false })
  // Instead of its own, which makes an Error for each and cannot stop.
  composer['onError'] = (source: Source, _code: string, message: string) => say(toOffset(source), message)
  const [document] = [...composer.compose(tokens)]
  for (const { pos, message } of [...(document?.errors ?? []), ...(document?.warnings ?? [])]) say(pos[0], message)
  if (document === undefined) say(0, 'there is nothing in it')
  return document?.contents ?? undefined
}

/** Where the library found a problem: an offset, a range of offsets, or a token. */
type Source = number | readonly number[] | { readonly offset: number }

function toOffset(source: Source): number {
  if (typeof source === 'number') return source
  return 'offset' in source ? source.offset : (source[0] ?? 0)
}

/** The syntax of the text, before anything walks it by recursion. */
function toTokens(text: string, say: Say): CST.Token[] | undefined {
  const parser = new Parser()
  const tokens: CST.Token[] = []
  let [documents, lexemes] = [0, 0]
  const take = (token: CST.Token): boolean => {
    tokens.push(token)
    if (token.type === 'directive' && !/^%YAML\s+1\.2\s*$/.test(token.source)) {
      say(token.offset, 'directives other than %YAML 1.2 are not read; remove it')
      return false
    }
    if (token.type === 'document') documents += 1
    if (documents > 1) say(token.offset, 'a second document begins here, and a file holds one; remove it')
    return documents <= 1
  }
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) if (!take(token)) return undefined
    lexemes += 1
    // The document itself and an open scalar are on the stack too.
    const isTooDeep = parser.stack.length > maxDepth + 2
    if (isTooDeep || lexemes > maxLexemes) {
      say(parser.offset, isTooDeep ? tooDeep : `the text has more than ${maxLexemes} words and marks up to here`)
      return undefined
    }
  }
  for (const token of parser.end()) if (!take(token)) return undefined
  return tokens
}

const tooDeep = `maps and lists are nested more than ${maxDepth} deep`

/** A value with the place where it begins, and the places of what is in it. */
interface Place {
  readonly value: unknown
  readonly offset: number
  /** Of the entry of a map. */
  readonly keyOffset?: number
  readonly inner?: ReadonlyMap<string, Place>
  /** What an alias to it repeats: values, code units of text, and how deep they are nested. */
  readonly nodes: number
  readonly text: number
  readonly height: number
}

interface Reading {
  /** Anchors seen so far, the last of each name. One that is still open is around what is being read. */
  readonly anchors: Map<string, Place | 'open'>
  readonly repeated: { nodes: number; text: number }
  readonly say: Say
}

type Path = readonly PropertyKey[]

function readNode(node: unknown, path: Path, reading: Reading): Place {
  if (isAlias(node)) return readAlias(node, path, reading)
  const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined
  if (anchor !== undefined) reading.anchors.set(anchor, 'open')
  const place = readContent(node, path, reading)
  if (anchor !== undefined) reading.anchors.set(anchor, place)
  return place
}

function readContent(node: unknown, path: Path, reading: Reading): Place {
  const offset = offsetOf(node)
  if (isMap(node)) return readMap(node.items, offset, path, reading)
  if (isSeq(node)) return readList(node.items, offset, path, reading)
  return isScalar(node) ? readScalar(node, offset, path, reading) : leaf(null, offset)
}

const offsetOf = (node: unknown): number => (node as Partial<Node> | null)?.range?.[0] ?? 0

const leaf = (value: unknown, offset: number): Place => ({
  value,
  offset,
  nodes: 1,
  text: typeof value === 'string' ? value.length : 0,
  height: 0,
})

function readScalar(node: Scalar, offset: number, path: Path, { say }: Reading): Place {
  const { value, source = '' } = node
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && !/[.eE]/.test(source))
    say(offset, `${shorten(source)} is too large to be read exactly; put it in quotes if it is text`, path)
  return leaf(value, offset)
}

function readMap(items: readonly Pair[], offset: number, path: Path, reading: Reading): Place {
  const value: Record<string, unknown> = {}
  const inner = new Map<string, Place>()
  for (const pair of items) {
    const keyOffset = offsetOf(pair.key)
    const key = readKey(pair.key, path, reading)
    const place = readNode(pair.value, [...path, key ?? '?'], reading)
    if (key === undefined) continue
    const at = [...path, key]
    if (inner.has(key)) reading.say(keyOffset, 'this key is there already; remove one of the two', at)
    value[key] = place.value
    inner.set(key, { ...place, keyOffset })
  }
  return { value, offset, inner, ...sum(inner) }
}

function readList(items: readonly unknown[], offset: number, path: Path, reading: Reading): Place {
  const inner = new Map<string, Place>()
  items.forEach((item, index) => inner.set(String(index), readNode(item, [...path, index], reading)))
  return { value: [...inner.values()].map((place) => place.value), offset, inner, ...sum(inner) }
}

/** Sizes are counted in exact numbers: a bound on what is repeated keeps them small. */
function sum(inner: ReadonlyMap<string, Place>): Pick<Place, 'nodes' | 'text' | 'height'> {
  let [nodes, text, height] = [1, 0, 0]
  for (const [key, place] of inner) {
    nodes += place.nodes
    text += place.text + key.length
    height = Math.max(height, place.height + 1)
  }
  return { nodes, text, height }
}

/** The key as text; `undefined` when a problem was said. */
function readKey(key: unknown, path: Path, { say }: Reading): string | undefined {
  const offset = offsetOf(key)
  if (!isScalar(key)) {
    say(offset, 'a key must be plain text', path)
    return undefined
  }
  const { value, source = '' } = key
  if (typeof value !== 'string') {
    const found = value === null ? 'nothing' : `a ${typeof value}, ${shorten(source)}`
    say(offset, `a key must be text, and this is ${found}; put it in quotes`, path)
    return undefined
  }
  if (value === '<<' && key.type === 'PLAIN') {
    say(offset, 'merging with << is not part of YAML 1.2; write the entries out', path)
    return undefined
  }
  // Whoever copies a value key by key would set a prototype.
  if (value === '__proto__') {
    say(offset, 'a key must not be called __proto__; choose another name', path)
    return undefined
  }
  return value
}

/** The anchored value once more: copied, so that no two parts of a document are one object. */
function readAlias(alias: Alias, path: Path, { anchors, repeated, say }: Reading): Place {
  const offset = offsetOf(alias)
  const refuseIt = (message: string): Place => {
    say(offset, message, path)
    return leaf(null, offset)
  }
  const place = anchors.get(alias.source)
  if (place === undefined) return refuseIt(`there is no anchor &${shorten(alias.source)} before this`)
  if (place === 'open') return refuseIt(`*${shorten(alias.source)} is inside of what it repeats`)
  if (path.length + place.height > maxDepth) return refuseIt(tooDeep)
  repeated.nodes += place.nodes
  repeated.text += place.text
  if (repeated.nodes > maxRepeatedNodes || repeated.text > maxRepeatedText)
    return refuseIt(
      `aliases repeat too much up to here: ${maxRepeatedNodes} values and ${maxRepeatedText} characters are the limits`,
    )
  return { ...place, value: copy(place.value), offset }
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copy)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]))
}

function find(root: Place, path: Path, what: 'key' | 'value'): number {
  let place = root
  for (const step of path) {
    const next = place.inner?.get(String(step))
    if (next === undefined) return place.keyOffset ?? place.offset
    place = next
  }
  return what === 'key' ? (place.keyOffset ?? place.offset) : place.offset
}

const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 37)}...` : text)

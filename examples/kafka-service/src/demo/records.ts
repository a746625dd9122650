/**
 * Records of known content: every byte of a record follows from its topic, partition and number, so a reader needs nothing but
 * the record to check it. Pure.
 */
import { createHash } from 'node:crypto'

export interface RecordKey {
  readonly topic: string
  readonly partition: number
  /** Counts from 0 in each partition. */
  readonly number: number
}

const hexChars = 64

export function keyText({ partition, number }: RecordKey): string {
  return `${String(partition)}/${String(number)}`
}

/** A value of `bytes` bytes: the digest of the key, repeated. */
export function valueOf(key: RecordKey, bytes: number): string {
  const digest = createHash('sha256')
    .update(`${key.topic}/${keyText(key)}`)
    .digest('hex')
  return digest.repeat(Math.ceil(bytes / hexChars)).slice(0, bytes)
}

export interface FoundRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly key: string | null
  readonly value: string | null
}

/** What is wrong with a record that was read; nothing if it is what its key says. */
export function recordProblem(found: FoundRecord): string | undefined {
  const at = `${found.topic}-${String(found.partition)} offset ${found.offset}`
  const match = /^(\d+)\/(\d+)$/.exec(found.key ?? '')
  if (match === null) return `${at}: the key '${found.key ?? 'null'}' is not one of ours`
  const key = { topic: found.topic, partition: Number(match[1]), number: Number(match[2]) }
  if (key.partition !== found.partition) return `${at}: holds a record of partition ${String(key.partition)}`
  const value = found.value ?? ''
  if (value === '' || value !== valueOf(key, value.length))
    return `${at}: the content of record ${found.key ?? ''} is not what was written`
  return undefined
}

/** Tallies what a reader finds and says in the end what was wrong. */
export class RecordCheck {
  readonly #nextOffset = new Map<number, bigint>()
  readonly #seen = new Set<string>()
  readonly problems: string[] = []
  repeated = 0

  /** How many records of different keys were read. */
  get count(): number {
    return this.#seen.size
  }

  has(key: RecordKey): boolean {
    return this.#seen.has(keyText(key))
  }

  add(found: FoundRecord): void {
    const problem = recordProblem(found)
    if (problem !== undefined) this.#report(problem)
    const offset = BigInt(found.offset)
    const expected = this.#nextOffset.get(found.partition) ?? 0n
    if (offset !== expected) {
      this.#report(`${found.topic}-${String(found.partition)}: offset ${String(expected)} expected, ${String(offset)} found`)
    }
    this.#nextOffset.set(found.partition, offset + 1n)
    if (this.#seen.has(found.key ?? '')) this.repeated++
    this.#seen.add(found.key ?? '')
  }

  #report(problem: string): void {
    const maxProblems = 20
    if (this.problems.length < maxProblems) this.problems.push(problem)
  }
}

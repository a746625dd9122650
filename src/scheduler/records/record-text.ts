/**
 * A record as text: canonical JSON with its version in `v` and, first, a seal in `#` over its key and all the rest. Text that was
 * cut, changed or put under another key is refused instead of being decided on. Older versions are brought forward. Pure.
 */
import type { z } from 'zod'
import { SdkError } from '../../errors.js'
import { canonicalJson } from '../../spec/canonical.js'
import { textDigest } from '../../spec/identity.js'
import { checksum } from './checksum.js'

/** One kind of record: what this version writes, and how earlier versions become that. */
export interface RecordKind<Schema extends z.ZodType> {
  readonly version: number
  readonly schema: Schema
  /** By the version that is read: makes it the next one. Every version from 1 on is there. */
  readonly upgrades: Readonly<Record<number, (old: OldRecord) => OldRecord>>
}

export type OldRecord = Readonly<Record<string, unknown>>

/** Records of version 1 had no seal. */
const firstSealedVersion = 2
/** With the `x` a checksum; without it, as the first sealed records had it, the beginning of a SHA-256. */
const sealPattern = /^\{"#":"(x?)([0-9a-f]{16})",/

const sealedText = (key: string, rest: string): string => `${key}\n${rest}`

export function printRecord(key: string, record: object): string {
  const rest = canonicalJson(record).slice(1)
  return `{"#":"x${checksum(sealedText(key, rest))}",${rest}`
}

function isSealed(key: string, text: string): boolean {
  const [head, form, found] = sealPattern.exec(text) ?? []
  if (head === undefined || found === undefined) return false
  const sealed = sealedText(key, text.slice(head.length))
  return found === (form === 'x' ? checksum(sealed) : textDigest(sealed).slice(0, found.length))
}

/** @throws SdkError `ERR_STORED_STATE` naming record and field. */
export function readRecord<Schema extends z.ZodType>(
  key: string,
  text: string,
  { version, schema, upgrades }: RecordKind<Schema>,
): z.output<Schema> {
  let record = parseText(key, text)
  const { v } = record
  if (typeof v !== 'number' || !Number.isInteger(v) || v < 1)
    throw unreadable(key, `v: it has no version (found ${JSON.stringify(v)})`)
  if (v > version) throw unreadable(key, `v: it has version ${v}, and this SDK knows versions up to ${version}`)
  if (v >= firstSealedVersion) record = withoutSeal(key, text, record)
  for (let from = v; from < version; from++) record = { ...upgrades[from]?.(record), v: from + 1 }
  const parsed = schema.safeParse(record)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'record'}: ${issue.message}`)
  throw unreadable(key, fields.join('; '))
}

function parseText(key: string, text: string): OldRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw unreadable(key, 'it is not JSON', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable(key, 'it is no JSON object')
  return value as OldRecord
}

function withoutSeal(key: string, text: string, record: OldRecord): OldRecord {
  if (!isSealed(key, text))
    throw unreadable(key, '#: the seal does not fit the rest, so it was damaged, or changed by something else')
  const { '#': _seal, ...rest } = record
  return rest
}

export const unreadable = (key: string, found: string, cause?: unknown): SdkError =>
  new SdkError(
    'ERR_STORED_STATE',
    `cannot read the stored record ${key}: ${found}. Nothing was changed; start the version that wrote it, or bring the record back from a backup`,
    { details: { record: key }, cause },
  )

import { beforeAll, describe, expect, test } from 'vitest'
import { isSdkError } from '../../src/errors.js'
import { printRecord } from '../../src/scheduler/records/record-text.js'
import { noRecords, type Records } from '../../src/scheduler/state.js'
import {
  instanceWrite,
  parseRecords,
  runWrite,
  serviceWrite,
  targetWrite,
  taskWrite,
  type RecordWrite,
} from '../../src/scheduler/stored-records.js'
import { collectStores, type Stored } from '../support/collect-stores.js'

/** Everything as it would be written now. */
function writesOf(records: Records): Map<string, string> {
  const writes: RecordWrite[] = [
    ...(records.service === undefined ? [] : [serviceWrite(records.service)]),
    ...[...records.targets.values()].map(targetWrite),
    ...[...records.instances.values()].map(instanceWrite),
    ...[...records.tasks].map(([name, record]) => taskWrite(name, record)),
    ...[...records.runs.values()].map(runWrite),
  ]
  return new Map(writes.map(({ key, value }) => [key, value ?? '']))
}

let stores: Stored[]
beforeAll(async () => {
  stores = await collectStores()
})

const lastOf = (): Map<string, string> => new Map(stores.at(-1))

/** Without its seal. */
function contentOf(stored: Stored, key: string): Record<string, unknown> {
  const { '#': _seal, ...rest } = JSON.parse(stored.get(key) ?? '') as Record<string, unknown>
  return rest
}

function reading(stored: Stored): string {
  try {
    parseRecords(stored)
    return 'was read'
  } catch (error) {
    if (!isSdkError(error, 'ERR_STORED_STATE')) throw error
    return error.message
  }
}

describe('stored records', () => {
  test('come back as they were written, at every commit', () => {
    expect(stores.length).toBeGreaterThan(100)
    for (const stored of stores) {
      const written = writesOf(parseRecords(stored))
      if (stored.size !== written.size) expect([...written.keys()].sort()).toEqual([...stored.keys()].sort())
      for (const [key, text] of stored) if (written.get(key) !== text) expect(written.get(key)).toBe(text)
    }
  })

  test('of every kind are among them', () => {
    const kinds = new Set([...lastOf().keys()].map((key) => key.split('/')[0]))
    expect([...kinds].sort()).toEqual(['instances', 'plans', 'service', 'targets', 'tasks'])
  })

  test('of an empty store are no records', () => {
    expect(parseRecords(new Map())).toEqual(noRecords)
  })

  test.for([
    ['service/service', 'targetId'],
    ['instances/coordinator-0', 'owner'],
    ['tasks/coordinator-0-server', 'value'],
    ['plans/deploy', 'questions'],
  ] as const)('%s without its field %s is named with record and field', ([key, field]) => {
    const stored = lastOf()
    const { [field]: _, ...rest } = contentOf(stored, key)
    expect(reading(stored.set(key, printRecord(key, rest)))).toMatch(new RegExp(`record ${key}: ${field}: `))
  })

  test('a field that this version does not know stops the start: another one wrote it', () => {
    const stored = lastOf()
    for (const key of stored.keys()) {
      const changed = { ...contentOf(stored, key), later: 1 }
      expect(reading(new Map(stored).set(key, printRecord(key, changed)))).toMatch(new RegExp(`record ${key}: .*later`))
    }
  })

  test('a later version of a record stops the start', () => {
    const stored = lastOf()
    for (const key of stored.keys()) {
      const changed = { ...contentOf(stored, key), v: 3 }
      expect(reading(new Map(stored).set(key, printRecord(key, changed)))).toMatch(
        new RegExp(`record ${key}: v: it has version 3, and this SDK knows versions up to 2`),
      )
    }
  })

  test('a field deep inside is named with its path', () => {
    const stored = lastOf()
    const record = contentOf(stored, 'instances/store-1') as { footprint: { entries: { state: string }[] } }
    Object.assign(record.footprint.entries[2] ?? {}, { state: 'lost' })
    expect(reading(stored.set('instances/store-1', printRecord('instances/store-1', record)))).toContain(
      'footprint.entries.2.state: ',
    )
  })

  test.for(['', '{', 'null', '[]', '"text"', '17'])('%j is no record', (text) => {
    expect(reading(lastOf().set('tasks/store-0-server', text))).toContain('cannot read the stored record tasks/store-0-server')
  })

  test('a key of another kind stops the start', () => {
    expect(reading(lastOf().set('permits/p-1', '{}'))).toContain('permits/p-1: this version knows no such kind of record')
  })

  test('a target whose content is not what its key says was changed by somebody', () => {
    const stored = lastOf()
    const key = [...stored.keys()].find((each) => each.startsWith('targets/')) ?? ''
    const text = JSON.stringify(contentOf(stored, key)).replace('./store.sh', './other.sh')
    expect(reading(stored.set(key, printRecord(key, JSON.parse(text) as object)))).toMatch(
      new RegExp(`record ${key}: its content has the identity`),
    )
  })

  test('under the key of another record, or changed by hand, the seal does not fit', () => {
    const stored = lastOf()
    const [one, other] = ['tasks/store-1-server', 'tasks/store-0-server']
    expect(reading(new Map(stored).set(one, stored.get(other) ?? ''))).toContain(`record ${one}: #: the seal does not fit`)
    const changed = (stored.get(one) ?? '').replace('"failures":0', '"failures":1')
    expect(reading(new Map(stored).set(one, changed))).toContain(`record ${one}: #: the seal does not fit`)
  })

  test('a sealed record that pretends to be of the version without seals is refused', () => {
    const stored = lastOf()
    const key = 'tasks/store-0-server'
    expect(reading(stored.set(key, (stored.get(key) ?? '').replace('"v":2', '"v":1')))).toMatch(/record .*Unrecognized key: "#"/)
  })

  test.for([
    ['service/service', /service\/service: it is missing, and \d+ other records/],
    ['instances/store-0', /tasks\/store-0-\w+: there is no record instances\/store-0/],
    ['targets/', /: targetId: there is no record targets\//],
  ] as const)('without %s nothing is decided', ([prefix, found]) => {
    const stored = lastOf()
    const service = JSON.parse(stored.get('service/service') ?? '') as { targetId: string }
    const key = prefix === 'targets/' ? `targets/${service.targetId.replace(':', '-')}` : prefix
    expect(stored.delete(key)).toBe(true)
    expect(reading(stored)).toMatch(found)
  })

  test('of the first version, which had no seals and no history, are read and written as they are now', () => {
    const stored = lastOf()
    const old = new Map([...stored.keys()].map((key) => [key, JSON.stringify({ ...contentOf(stored, key), v: 1 })]))
    for (const [key, text] of old) {
      if (!key.startsWith('tasks/')) continue
      const { history: _1, presumed: _2, ...rest } = JSON.parse(text) as Record<string, unknown>
      old.set(key, JSON.stringify(rest))
    }
    const read = parseRecords(old)
    expect([...read.tasks.values()].map(({ v, history, presumed }) => [v, history, presumed])).toEqual(
      [...read.tasks.keys()].map(() => [2, [], []]),
    )
    expect(parseRecords(writesOf(read))).toEqual(read)
  })
})

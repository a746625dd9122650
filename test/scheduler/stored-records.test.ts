import { beforeAll, describe, expect, test } from 'vitest'
import { isSdkError } from '../../src/errors.js'
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
    const { [field]: _, ...rest } = JSON.parse(stored.get(key) ?? '') as Record<string, unknown>
    expect(reading(stored.set(key, JSON.stringify(rest)))).toMatch(new RegExp(`record ${key}: ${field}: `))
  })

  test('a field that this version does not know stops the start: another one wrote it', () => {
    const stored = lastOf()
    for (const key of stored.keys()) {
      const changed = { ...(JSON.parse(stored.get(key) ?? '') as object), later: 1 }
      expect(reading(new Map(stored).set(key, JSON.stringify(changed)))).toMatch(new RegExp(`record ${key}: .*later`))
    }
  })

  test('a later version of a record stops the start', () => {
    const stored = lastOf()
    for (const key of stored.keys()) {
      const changed = { ...(JSON.parse(stored.get(key) ?? '') as object), v: 2 }
      expect(reading(new Map(stored).set(key, JSON.stringify(changed)))).toMatch(new RegExp(`record ${key}: v: `))
    }
  })

  test('a field deep inside is named with its path', () => {
    const stored = lastOf()
    const record = JSON.parse(stored.get('instances/store-1') ?? '') as { footprint: { entries: { state: string }[] } }
    Object.assign(record.footprint.entries[2] ?? {}, { state: 'lost' })
    expect(reading(stored.set('instances/store-1', JSON.stringify(record)))).toContain('footprint.entries.2.state: ')
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
    expect(reading(stored.set(key, (stored.get(key) ?? '').replace('./store.sh', './other.sh')))).toMatch(
      new RegExp(`record ${key}: its content has the identity`),
    )
  })
})

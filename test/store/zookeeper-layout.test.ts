import { describe, expect, test } from 'vitest'
import { storePaths } from '../../src/store/paths.js'
import { ZooKeeperFailure, type ZooKeeperClient } from '../../src/store/zookeeper-client.js'
import { loadRecords } from '../../src/store/zookeeper-layout.js'

/** A server with the given records, that reads many nodes at once or does not; remembers what it was asked. */
const createServer = (records: ReadonlyMap<string, string>, knowsReadMany: boolean) => {
  const paths = storePaths('', 'fleet')
  const nodes = new Map([
    [paths.epoch, '{"layout":1,"epoch":1}'],
    ...[...records].map(([key, text]) => [paths.record(key), text] as const),
  ])
  const groups: string[][] = []
  const childrenOf = (path: string) => [
    ...new Set(
      [...nodes.keys()]
        .filter((node) => node.startsWith(`${path}/`))
        .map((node) => node.slice(path.length + 1).split('/')[0] ?? ''),
    ),
  ]
  const client = {
    children: async (path: string) => childrenOf(path),
    read: async (path: string) => {
      groups.push([path])
      const data = nodes.get(path)
      return data === undefined ? undefined : { data, version: 1 }
    },
    readMany: async (group: readonly string[]) => {
      if (!knowsReadMany) throw new ZooKeeperFailure('OTHER', 'read', 'unknown request')
      groups.push([...group])
      return group.map((path) => nodes.get(path))
    },
  } as unknown as ZooKeeperClient
  const load = () => loadRecords({ client, paths, address: 'zk://h/fleet', persist: (request) => request() })
  return { load, groups: () => groups.filter(([first]) => first !== paths.epoch) }
}
const recordsOf = (count: number, bytes: number) =>
  new Map(
    Array.from({ length: count }, (_, index) => [`tasks/${String(index).padStart(4, '0')}`, String(index).padStart(bytes, '.')]),
  )

describe('loading the records', () => {
  test.each([true, false])('gives all of them in order, from a server that reads many at once: %s', async (knowsReadMany) => {
    const records = new Map([...recordsOf(1_000, 10), ['instances/a', ''], ['plans/deploy', 'x']])
    const { load } = createServer(records, knowsReadMany)
    const loaded = await load()
    expect([...loaded.records]).toEqual([...records].sort(([a], [b]) => (a < b ? -1 : 1)))
    expect([...loaded.kinds].sort()).toEqual(['instances', 'plans', 'tasks'])
  })

  test('asks for many small nodes at once, and for few large ones', async () => {
    const small = createServer(recordsOf(1_000, 100), true)
    await small.load()
    expect(Math.max(...small.groups().map((group) => group.length))).toBe(50)
    const large = createServer(recordsOf(200, 300_000), true)
    await large.load()
    const first = large.groups().slice(0, 8)
    expect(first.every((group) => group.length <= 8)).toBe(true)
    expect(
      large
        .groups()
        .slice(8)
        .every((group) => group.length === 1),
    ).toBe(true)
  })
})

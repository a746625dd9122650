import { createRequire } from 'node:module'
import zookeeper from 'node-zookeeper-client'
import { expect, test } from 'vitest'

/** The store repairs the client through properties that are not public: a new version must be read before it is taken. */
test('the ZooKeeper client is the version whose inside the store knows', () => {
  const { version } = createRequire(import.meta.url)('node-zookeeper-client/package.json') as { version: string }
  expect(version).toBe('1.1.3')
  const client = zookeeper.createClient('127.0.0.1:1', { sessionTimeout: 1_000, spinDelay: 100, retries: 0 })
  const { connectionManager } = client as unknown as { connectionManager: Record<string, unknown> }
  expect(connectionManager).toMatchObject({ pendingBuffer: null, connectTimeoutHandler: null })
  expect(connectionManager['pendingQueue']).toEqual([])
  for (const method of ['connect', 'onSocketData', 'onSocketClosed', 'queue'])
    expect(typeof connectionManager[method]).toBe('function')
})

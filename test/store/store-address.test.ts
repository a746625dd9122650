import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../src/runtime/create-scheduler.js'

const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const open = (address: string) => openStore(address, 'kafka', 10_000, logger)

test('an address of another kind is refused, with both kinds that there are', async () => {
  await expect(open('file:./state')).rejects.toMatchObject({
    code: 'ERR_INVALID_OPTION',
    message: 'store must be zk://host1:2181,host2:2181/path or lmdb:/path (got "file:./state")',
  })
})

test.each(['http://u:sesame@h/a', 'zk:/u:sesame@h', 'http://u:ses/ame@h', 'u:sesame@h', 'zk://u:ses/ame@h'])(
  '%s is refused without showing the password',
  async (address) => {
    const refused = await open(address).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'ERR_INVALID_OPTION' })
    expect((refused as Error).message).not.toMatch(/ses|ame/)
  },
)

test('lmdb:/path opens a store in a directory of the service', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'stateward-lmdb-'))
  const store = await open(`lmdb:${directory}`)
  expect(readdirSync(directory)).toEqual([])
  const session = await store.open({ holder: 'h', lockWaitMs: 0 })
  await session.close()
  expect(readdirSync(directory)).toEqual(['kafka'])
  rmSync(directory, { recursive: true })
})

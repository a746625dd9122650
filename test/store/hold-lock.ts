/** A scheduler process that opens a store, commits once, says so, and holds the lock until it is killed. */
import { createZooKeeperStore } from '../../src/store/zookeeper-store.js'

const [connect = '', sessionTimeoutMs = '10000'] = process.argv.slice(2)
const session = await createZooKeeperStore({ connect, sessionTimeoutMs: Number(sessionTimeoutMs) }).open({
  holder: `child pid ${process.pid}`,
  lockWaitMs: 0,
})
await session.commit([{ key: 'k/child', value: String(session.epoch) }])
process.stdout.write(`holding ${session.epoch}\n`)

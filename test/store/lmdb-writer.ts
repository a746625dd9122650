/**
 * A scheduler process on an lmdb store: says `holding <epoch>`, then commits numbered batches, `width` at once, and says each
 * number that was confirmed; says how the session ended, and why opening again was refused. With width 0 it only holds the lock.
 * Waits for the lock as long as told, and says `waiting`. Keeps the last 500 batches, or all of them.
 */
import { createLmdbStore } from '../../src/store/lmdb-store.js'

const [path = '', width = '0', lockWaitMs = '0', keeps = '500'] = process.argv.slice(2)
const say = (line: string): boolean => process.stdout.write(`${line}\n`)
// A file that may not grow: the write fails instead of the process.
process.on('SIGXFSZ', () => undefined)
const store = createLmdbStore({ path })
const session = await store.open({
  holder: `child pid ${process.pid}`,
  lockWaitMs: Number(lockWaitMs),
  onWaiting: () => say('waiting'),
})
session.onAvailability((available) => say(available ? 'back' : 'away'))
say(`holding ${session.epoch}`)
let next = Number(session.records.get('k/first') ?? -1) + 1

const worker = async (): Promise<void> => {
  for (;;) {
    const number = next++
    const text = String(number)
    await session.commit([
      { key: 'k/first', value: text },
      { key: `numbers/${text}`, value: text.padStart(200) },
      ...(keeps === 'all' ? [] : [{ key: `numbers/${number - 500}`, value: null }]),
      { key: 'k/last', value: text },
    ])
    say(text)
  }
}
const ended = session.ended.then(async (end) => {
  say(`ended ${end}`)
  await store.open({ holder: 'again', lockWaitMs: 0 }).catch((error: unknown) => say(`again ${(error as { code: string }).code}`))
})
const workers = Array.from({ length: Number(width) }, worker)
await Promise.all([ended, ...workers]).catch((error: unknown) => say((error as { code: string }).code))

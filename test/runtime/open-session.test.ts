import { expect, test } from 'vitest'
import { SdkError } from '../../src/errors.js'
import type { Clock } from '../../src/ports/clock.js'
import type { StateStore } from '../../src/ports/state-store.js'
import { openSession } from '../../src/runtime/open-session.js'
import { createMemoryStore } from '../../src/store/memory-store.js'

/** A clock whose pauses are over when the test says so. */
function handClock(): { clock: Clock; pauses: number[]; goOn: () => void } {
  const pauses: number[] = []
  let due: (() => void) | undefined
  const clock: Clock = {
    now: () => 0,
    after(ms, run) {
      pauses.push(ms)
      due = run
      return () => (due = undefined)
    },
  }
  return { clock, pauses, goOn: () => due?.() }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function open(store: Pick<StateStore, 'open'>, clock: Clock, lockWaitMs = 0) {
  const stopping = new AbortController()
  const lines: string[] = []
  const leaders: (string | undefined)[] = []
  const note = (_fields: object, message: string): void => void lines.push(message)
  const logger = { debug: note, info: note, warn: note, error: note }
  const onWaiting = (leader: string | undefined): void => void leaders.push(leader)
  const opened = openSession(store, { holder: 'test', lockWaitMs, onWaiting, logger, clock, signal: stopping.signal })
  opened.catch(() => undefined)
  return { opened, stopping, lines, leaders }
}

const away = new SdkError('ERR_STORE_UNREACHABLE', 'the store is away', { retryable: true })

test('a store that is away is tried again after pauses that grow, and said once', async () => {
  const memory = createMemoryStore()
  let failures = 6
  const store = {
    open: (options: Parameters<StateStore['open']>[0]) => (failures-- > 0 ? Promise.reject(away) : memory.open(options)),
  }
  const { clock, pauses, goOn } = handClock()
  const { opened, lines } = open(store, clock)
  for (let count = 0; count < 6; count++) {
    await turn()
    goOn()
  }
  await expect(opened).resolves.toMatchObject({ epoch: 1 })
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000])
  expect(lines).toEqual(['the store is away; trying again'])
})

test('a stop ends the pause', async () => {
  const { opened, stopping } = open({ open: () => Promise.reject(away) }, handClock().clock)
  await turn()
  stopping.abort(new Error('stop'))
  await expect(opened).rejects.toThrow('stop')
})

test('a stop that comes while the session is being opened closes it again', async () => {
  const memory = createMemoryStore()
  const { opened, stopping } = open(
    {
      async open(options) {
        const session = await memory.open({ ...options, signal: new AbortController().signal })
        stopping.abort(new Error('stop'))
        return session
      },
    },
    handClock().clock,
  )
  await expect(opened).rejects.toThrow('stop')
  await expect(memory.open({ holder: 'next', lockWaitMs: 0 })).resolves.toMatchObject({ epoch: 2 })
})

test('one that stands by tells who leads, again when another one does, and at once when the store is away', async () => {
  const memory = createMemoryStore()
  const [first, second] = ['first', 'second'].map((holder) => memory.open({ holder, lockWaitMs: Infinity }))
  const leader = await first
  let isAway = false
  const store = {
    open: (options: Parameters<StateStore['open']>[0]) => (isAway ? Promise.reject(away) : memory.open(options)),
  }
  const { clock, goOn } = handClock()
  const { opened, leaders, lines } = open(store, clock, Infinity)
  await turn()
  await leader?.close()
  const next = await second
  await turn()
  expect(leaders).toEqual(['first', 'second'])
  expect(lines).toEqual([expect.stringMatching(/^standing by: first leads/), expect.stringMatching(/^standing by: second leads/)])
  await next?.close()
  await expect(opened).resolves.toMatchObject({ epoch: 3 })

  isAway = true
  const later = open(store, clock, Infinity)
  await turn()
  expect(later.leaders).toEqual([undefined])
  isAway = false
  goOn()
  await turn()
  expect(later.leaders).toEqual([undefined, 'test'])
})

test('a stop ends the standing by, and leaves no place in the line', async () => {
  const memory = createMemoryStore()
  const leader = await memory.open({ holder: 'leader', lockWaitMs: 0 })
  const { opened, stopping } = open(memory, handClock().clock, Infinity)
  await turn()
  stopping.abort(new Error('stop'))
  await expect(opened).rejects.toThrow('stop')
  await leader.close()
  await expect(memory.open({ holder: 'next', lockWaitMs: 0 })).resolves.toMatchObject({ epoch: 2 })
})

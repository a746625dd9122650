/**
 * A store whose process stops itself (SIGSTOP) at a chosen commit, exactly: after the commit stands and before anything that
 * was decided in it is sent, or just before the commit is made. What a machine that sleeps, a paused container or a long
 * garbage collection does at any moment is done here at the worst ones.
 */
import { writeSync } from 'node:fs'
import type { Batch, StateStore } from '../../../src/ports/state-store.js'

/**
 * Which commit: one that decides a `launch` or a `kill`, one that says that a task has ended (`end`), one without writes
 * (`fence`, the proof before SUBSCRIBE and the one after SUBSCRIBED), or `any`.
 */
export type Moment = 'launch' | 'kill' | 'end' | 'fence' | 'any'

export interface Halt {
  readonly moment: Moment
  /** The how manieth of these from now on. */
  readonly nth: number
  readonly when: 'before' | 'after'
}

const isMoment = (batch: Batch, moment: Moment): boolean => {
  if (moment === 'any') return batch.length > 0
  if (moment === 'fence') return batch.length === 0
  const value = { launch: 'launching', kill: 'killing', end: 'ended' }[moment]
  return batch.some(
    (write) =>
      write.key.startsWith('tasks/') &&
      write.key.includes('-server') &&
      write.value !== null &&
      (JSON.parse(write.value) as { value?: unknown }).value === value,
  )
}

export interface HaltingStore {
  readonly store: StateStore
  arm(halt: Halt): void
}

export function createHaltingStore(inner: StateStore): HaltingStore {
  let armed: Halt | undefined
  let seen = 0

  const isNow = (batch: Batch, when: Halt['when']): boolean => {
    if (armed?.when !== when || !isMoment(batch, armed.moment)) return false
    seen += 1
    return seen === armed.nth
  }
  // Synchronously, since a process that stops itself does nothing after that.
  const say = (msg: string): void => void writeSync(1, `${JSON.stringify({ level: 30, time: Date.now(), msg })}\n`)
  const stopHere = (batch: Batch): void => {
    armed = undefined
    say(`halted at ${batch.length} writes`)
    process.kill(process.pid, 'SIGSTOP')
  }

  return {
    arm(halt) {
      armed = halt
      seen = 0
    },
    store: {
      async open(options) {
        const session = await inner.open(options)
        return {
          ...session,
          async commit(batch) {
            if (batch.length === 0) say('a proof is asked for')
            if (isNow(batch, 'before')) stopHere(batch)
            await session.commit(batch)
            if (isNow(batch, 'after')) stopHere(batch)
          },
        }
      },
    },
  }
}

/** What the core and the shell take as inputs and a process has: time, randomness, and a name for itself. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { IdSource } from '../ids.js'
import type { Clock } from '../ports/clock.js'

export const randomIds: IdSource = { uuid: () => randomUUID() }

export const systemClock: Clock = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** Shown to whoever finds the service's lock taken; `url` is where its HTTP API is. */
export const processIdentity = (url?: string): string => `${hostname()} pid ${process.pid}${url === undefined ? '' : ` (${url})`}`

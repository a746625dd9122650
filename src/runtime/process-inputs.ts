/** What the core takes as inputs and a process has: randomness, and a name for itself. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { IdSource } from '../ids.js'

export const randomIds: IdSource = { uuid: () => randomUUID() }

/** Shown to whoever finds the service's lock taken. */
export const processIdentity = (): string => `${hostname()} pid ${process.pid}`

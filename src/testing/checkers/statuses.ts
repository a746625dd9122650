/** What a task status says, by the promises: what ends a task, what shows that it lives, what makes it doubtful. Pure. */
import type { TaskStatus } from '../../scheduler/events.js'
import type { TaskSpec } from '../../spec/schema.js'

/** These end a task, whatever was told before. */
const ends: ReadonlySet<string> = new Set(['FINISHED', 'FAILED', 'KILLED', 'GONE'])
/** These end a task that was never told STARTING or RUNNING. */
const endsUnseen: ReadonlySet<string> = new Set(['ERROR', 'DROPPED'])
const signsOfLife: ReadonlySet<string> = new Set(['STARTING', 'RUNNING'])

export const showsLife = (state: string): boolean => signsOfLife.has(state)
export const isEnd = (state: string, wasSeen: boolean): boolean => ends.has(state) || (endsUnseen.has(state) && !wasSeen)

/** It runs, and its readiness check has succeeded if it has one. */
export const tellsReady = (status: TaskStatus, spec: TaskSpec | undefined): boolean =>
  status.state === 'RUNNING' && (spec?.readinessCheck === undefined || status.checkExitCode === 0)

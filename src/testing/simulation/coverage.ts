/** What a run has reached: kinds of faults, and reason codes of all who give reasons. Counts; summed over many runs. Pure. */
import type { LogEntry } from '../virtual/log.js'
import type { FaultKind } from './plan.js'

export interface Coverage {
  /** How often each kind of fault has happened. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  /** States and reasons of tasks and operations as told, answers of the master, ends of schedulers. */
  readonly reasons: Readonly<Record<string, number>>
}

export interface CoverageCounter {
  onEntry(entry: LogEntry): void
  note(reason: string): void
  result(faults: ReadonlyMap<FaultKind, number>): Coverage
}

export function createCoverage(): CoverageCounter {
  const reasons = new Map<string, number>()
  const note = (reason: string): void => void reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  return {
    note,
    onEntry(entry) {
      if (entry.type === 'requestRefused') return note(`answer ${entry.status}`)
      if (entry.type === 'sessionEnded') return note(`session ${entry.end}`)
      if (entry.type !== 'eventDelivered') return
      const { event } = entry
      switch (event.type) {
        case 'taskStatusReceived':
          return note(`task ${event.status.state}${event.status.reason === undefined ? '' : ` ${event.status.reason}`}`)
        case 'operationStatusReceived':
          return note(`operation ${event.status.state}`)
        case 'frameworkErrorReceived':
          return note(`framework error ${event.kind}`)
        case 'disconnected':
        case 'offerRescinded':
        case 'agentFailed':
          return note(event.type)
        default:
          return
      }
    },
    result: (faults) => ({ faults: Object.fromEntries(faults), reasons: Object.fromEntries(reasons) }),
  }
}

export function addCoverage(sum: Coverage, one: Coverage): Coverage {
  const add = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> => {
    const result: Record<string, number> = { ...a }
    for (const [name, count] of Object.entries(b)) result[name] = (result[name] ?? 0) + count
    return result
  }
  return { faults: add(sum.faults, one.faults), reasons: add(sum.reasons, one.reasons) }
}

export const noCoverage: Coverage = { faults: {}, reasons: {} }

/**
 * What a run has reached: kinds of faults, reason codes of all who give reasons, and what the scheduler said it waited for. Counts;
 * summed over many runs. Pure.
 */
import type { ServiceStatus } from '../../scheduler/report.js'
import type { LogEntry } from '../virtual/log.js'
import type { FaultKind } from './plan.js'

export interface Coverage {
  /** How often each kind of fault has happened. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  /** States and reasons of tasks and operations as told, answers of the master, ends of schedulers. */
  readonly reasons: Readonly<Record<string, number>>
  /** Reasons of plans and steps, names and numbers left out; each counts once per look at the status. */
  readonly waits: Readonly<Record<string, number>>
}

export interface CoverageCounter {
  onEntry(entry: LogEntry): void
  /** Undefined: nobody leads. */
  onStatus(status: ServiceStatus | undefined): void
  note(reason: string): void
  result(faults: ReadonlyMap<FaultKind, number>): Coverage
}

export function createCoverage(): CoverageCounter {
  const reasons = new Map<string, number>()
  const waits = new Map<string, number>()
  const count = (sums: Map<string, number>, name: string): void => void sums.set(name, (sums.get(name) ?? 0) + 1)
  const note = (reason: string): void => count(reasons, reason)
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
    onStatus(status) {
      const plans = status?.plans ?? []
      const steps = plans.flatMap(({ phases }) => phases.flatMap((phase) => phase.steps))
      for (const kind of new Set([...plans, ...steps].flatMap(({ reason }) => (reason === undefined ? [] : waitKind(reason)))))
        count(waits, kind)
    },
    result: (faults) => ({
      faults: Object.fromEntries(faults),
      reasons: Object.fromEntries(reasons),
      waits: Object.fromEntries(waits),
    }),
  }
}

/** What all reasons of a kind have in common: a word with a digit in it is a name, an id or a number. */
const waitKind = (reason: string): string => reason.replace(/[^\s,;:()]*\d[^\s,;:()]*/g, '#').replace(/#(, #)+/g, '#')

export function addCoverage(sum: Coverage, one: Coverage): Coverage {
  const add = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> => {
    const result: Record<string, number> = { ...a }
    for (const [name, count] of Object.entries(b)) result[name] = (result[name] ?? 0) + count
    return result
  }
  return { faults: add(sum.faults, one.faults), reasons: add(sum.reasons, one.reasons), waits: add(sum.waits, one.waits) }
}

export const noCoverage: Coverage = { faults: {}, reasons: {}, waits: {} }

/** What points came to, as a table. */
import type { Point } from './crash-points.js'
import type { Outcome } from './crash-trial.js'

export interface Row {
  readonly store: string
  readonly service: string
  readonly fault: string
  /** Deployments and updates, each with one fault. */
  readonly lives: number
  readonly crashes: number
  readonly launches: number
  readonly kills: number
  readonly violations: number
  readonly seconds: number
}

const where = { commit: 'of a commit', decision: 'between decisions', call: 'of a call' }

const faultOf = ({ at, fault }: Point): string => `${at === 'decision' ? 'stop' : fault} ${where[at]}`

const total = (outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number =>
  outcomes.reduce((sum, outcome) => sum + of(outcome), 0)

/** One row for each fault. */
export function buildRows(store: string, service: string, outcomes: readonly Outcome[]): Row[] {
  const byFault = new Map<string, Outcome[]>()
  for (const outcome of outcomes) {
    const fault = faultOf(outcome.point)
    byFault.set(fault, [...(byFault.get(fault) ?? []), outcome])
  }
  const sorted = [...byFault].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([fault, those]) => ({
    store,
    service,
    fault,
    lives: those.length,
    crashes: total(those, ({ crashes }) => crashes),
    launches: total(those, ({ launches }) => launches),
    kills: total(those, ({ kills }) => kills),
    violations: total(those, ({ wrong }) => (wrong === undefined ? 0 : 1)),
    seconds: Math.round(total(those, ({ milliseconds }) => milliseconds) / 1_000),
  }))
}

/**
 * Statuses of plans, phases and steps. A parent's status derives from its children; the function is total: every combination
 * has exactly one answer. Pure.
 */
export const stepStatuses = ['PENDING', 'PREPARED', 'STARTING', 'STARTED', 'COMPLETE', 'WAITING', 'DELAYED'] as const
/** PREPARED: looking for offers, or resources being reserved. STARTED: running, readiness or a gate outstanding. WAITING: says why. */
export type StepStatus = (typeof stepStatuses)[number]

/** Statuses of phases and plans. */
export type ParentStatus = 'PENDING' | 'IN_PROGRESS' | 'COMPLETE' | 'WAITING' | 'DELAYED'

const underWay: ReadonlySet<StepStatus | ParentStatus> = new Set(['PREPARED', 'STARTING', 'STARTED', 'IN_PROGRESS'])

/** `held`: an operator has paused the plan, or one of its own gates is closed. */
export function parentStatus(children: readonly (StepStatus | ParentStatus)[], held: boolean): ParentStatus {
  if (children.every((child) => child === 'COMPLETE')) return 'COMPLETE'
  // What is in hand is finished even under a pause; the plan waits only once nothing moves.
  if (children.some((child) => underWay.has(child))) return 'IN_PROGRESS'
  if (children.includes('DELAYED')) return 'DELAYED'
  if (held || children.includes('WAITING')) return 'WAITING'
  return children.includes('COMPLETE') ? 'IN_PROGRESS' : 'PENDING'
}

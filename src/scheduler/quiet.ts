/**
 * Until when time alone changes nothing: the earliest of all deadlines that any part of a step compares the time with. A step
 * that hears nothing but ticks before then has nothing to look at. Better too early than too late. Pure.
 */
import type { Question } from '../plan/question-record.js'
import { brokenAfterMs, tasksOf } from './assess.js'
import { killRepeatMs } from './kills.js'
import { maxHoldMs } from './offer-policy.js'
import { openInstances } from './open-instances.js'
import { nextAskMs, nextReconciliationMs } from './reconcile.js'
import type { State } from './state.js'

/** 0: not quiet at all. */
export function quietUntil(state: State): number {
  const { records, volatile } = state
  const { nowMs, jobsInFlight } = volatile
  let untilMs = nextReconciliationMs(volatile)
  /** What is past has been dealt with by the step in which it passed. */
  const consider = (atMs: number): void => {
    if (atMs > nowMs && atMs < untilMs) untilMs = atMs
  }
  // Closed gates have intervals of their own, and one that nobody works on is asked at once.
  const isMoving = ({ state, runId }: Question): boolean =>
    state === 'negative' || (state === 'asking' && !jobsInFlight.has(runId))

  for (const { completedAtMs, questions } of records.runs.values()) {
    if (completedAtMs !== undefined) continue
    if (questions['order']?.state === 'positive' || Object.values(questions).some(isMoving)) return 0
  }
  for (const [, instance] of openInstances(state)) {
    const { owner, block, refusal } = instance
    if (refusal !== undefined) consider(refusal.notBeforeMs)
    for (const { record } of tasksOf(records, instance)) consider(record.backoff.notBeforeMs)
    if (owner === 'none' || block === undefined) continue
    consider(block.startedAtMs + brokenAfterMs)
    if (Object.values(block.gates).some(isMoving)) return 0
  }
  for (const ask of volatile.unansweredTasks.values()) consider(nextAskMs(ask))
  for (const ask of volatile.unansweredOperations.values()) consider(nextAskMs(ask))
  for (const sentAtMs of volatile.killsSentAtMs.values()) consider(sentAtMs + killRepeatMs)
  for (const { receivedAtMs } of volatile.offers.values()) consider(receivedAtMs + maxHoldMs)
  return untilMs
}

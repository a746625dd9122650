/**
 * Runs of the plans: when an update begins, when a run is complete. A run is a stored record; what it has reached is read off
 * the instances. Pure.
 */
import type { TargetConfigId } from '../ids.js'
import { deployPhases } from '../plan/phases.js'
import type { RunRecord } from '../plan/run-record.js'
import { matchesTarget } from './assess.js'
import { newRunId } from './blocks.js'
import { isOwned, updateCandidates } from './claims.js'
import type { Draft } from './draft.js'
import type { Env } from './env.js'
import { passGates } from './questions.js'
import type { Target } from './state.js'

export function manageRuns(draft: Draft, env: Env): void {
  const { service, targets } = draft.records
  const target = service === undefined ? undefined : targets.get(service.targetId)
  if (target === undefined) return
  beginUpdate(draft, env, target)
  for (const plan of ['deploy', 'update'] as const) {
    const run = draft.records.runs.get(plan)
    if (run !== undefined && run.completedAtMs === undefined && isDone(draft, plan, target)) complete(draft, env, run, target)
  }
}

/** An update run exists for every target after the first that touches something. A newer target starts a run of its own. */
function beginUpdate(draft: Draft, env: Env, target: Target): void {
  const { runs, instances } = draft.records
  if (runs.get('deploy')?.completedAtMs === undefined) return
  const present = runs.get('update')
  const isOpen = present !== undefined && present.completedAtMs === undefined
  if (isOpen ? present.targetId === target.id : updateCandidates(draft.records, target).length === 0) return
  const run: RunRecord = {
    v: 2,
    plan: 'update',
    runId: newRunId(env),
    targetId: target.id,
    startedAtMs: draft.volatile.nowMs,
    isCure: isOpen,
    paused: false,
    questions: {},
  }
  draft.setRun(run)
  for (const [name, instance] of instances) {
    if (instance.owner !== 'update' || instance.block === undefined) continue
    draft.setInstance(name, { ...instance, block: { ...instance.block, runId: run.runId } })
  }
  draft.decided()
}

function isDone(draft: Draft, plan: RunRecord['plan'], target: Target): boolean {
  const { instances } = draft.records
  if (isOwned(draft, plan)) return false
  if (plan === 'update') return updateCandidates(draft.records, target).length === 0
  return deployPhases(target.spec).every((phase) => phase.instances.every((name) => instances.get(name)?.deployed === true))
}

function complete(draft: Draft, env: Env, run: RunRecord, target: Target): void {
  if (run.paused) return
  const open = passGates(
    draft,
    env,
    target.spec[run.plan].postFlight,
    'postFlight/',
    run.questions,
    { plan: run.plan },
    (questions) => {
      draft.setRun({ ...run, questions })
      draft.decided()
    },
  )
  if (!open) return
  draft.setRun({ ...run, completedAtMs: draft.volatile.nowMs })
  settleOnTarget(draft, target)
  draft.decided()
}

/** What has the target's content is on the target from now on; older targets that nobody is on any more go. */
function settleOnTarget(draft: Draft, target: Target): void {
  for (const [name, instance] of draft.records.instances) {
    const moves = instance.targetId !== target.id && instance.owner === 'none' && matchesTarget(draft.records, instance, target)
    if (moves) draft.setInstance(name, { ...instance, targetId: target.id })
  }
  const used = new Set<TargetConfigId>([target.id])
  for (const instance of draft.records.instances.values()) used.add(instance.targetId)
  for (const run of draft.records.runs.values()) if (run.completedAtMs === undefined) used.add(run.targetId)
  for (const id of [...draft.records.targets.keys()]) if (!used.has(id)) draft.deleteTarget(id)
}

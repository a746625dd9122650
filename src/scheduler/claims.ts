/**
 * Which instance a plan may take in hand next. Recovery takes what has failed and nobody owns; deploy goes phase by phase;
 * update takes one at a time, and a healthy one only while everything else is settled: that is the service's disruption
 * budget, which restarts share. Pure.
 */
import type { PodInstanceName } from '../ids.js'
import { deployPhases, updatePhases } from '../plan/phases.js'
import type { RunRecord } from '../plan/run-record.js'
import { hasFailed, isBroken, isRestartDue, isServing, matchesTarget, nameOf, needOf } from './assess.js'
import { newRunId, startBlock } from './blocks.js'
import { updateBlocker } from './disruption-budget.js'
import type { Draft } from './draft.js'
import type { Env } from './env.js'
import { openInstances } from './open-instances.js'
import { askOrder, passGates } from './questions.js'
import type { InstanceRecord, Owner } from './records/instance-record.js'
import type { Records, State, Target } from './state.js'

export function claimInstances(draft: Draft, env: Env): void {
  claimForRecovery(draft, env)
  const { service, targets, runs } = draft.records
  const target = service === undefined ? undefined : targets.get(service.targetId)
  if (target === undefined) return
  const deploy = runs.get('deploy')
  if (deploy !== undefined && deploy.completedAtMs === undefined) claimForDeploy(draft, env, deploy, target)
  const update = runs.get('update')
  if (update !== undefined && update.completedAtMs === undefined) claimForUpdate(draft, env, update, target)
}

/** What has failed is taken at once; what runs and is only to be restarted waits until nothing else is down. */
function claimForRecovery(draft: Draft, env: Env): void {
  for (const [name, instance] of openInstances(draft)) {
    if (instance.owner !== 'none') continue
    if (hasFailed(draft.records, instance) || mayRestart(draft, name, instance))
      startBlock(draft, name, 'recovery', newRunId(env), instance.targetId)
  }
}

/** True once a run's pre-flight gates are open. A run that may be the cure of the one before does not ask them. */
function passPreFlight(draft: Draft, env: Env, run: RunRecord, target: Target): boolean {
  if (run.isCure) return true
  return passGates(draft, env, target.spec[run.plan].preFlight, 'preFlight/', run.questions, { plan: run.plan }, (questions) => {
    draft.setRun({ ...run, questions })
    draft.decided()
  })
}

/** What serves is taken down only when nothing else is; what idles already has nothing to lose. */
const mayRestart = (draft: Draft, name: PodInstanceName, instance: InstanceRecord): boolean =>
  isRestartDue(draft.records, instance) && (!isServing(draft.records, instance) || updateBlocker(draft, name) === undefined)

function claimForDeploy(draft: Draft, env: Env, run: RunRecord, target: Target): void {
  if (run.paused || !passPreFlight(draft, env, run, target)) return
  for (const phase of deployPhases(target.spec)) {
    const left = phase.instances.filter((name) => draft.records.instances.get(name)?.deployed === false)
    if (left.length === 0) continue
    for (const name of phase.strategy === 'serial' ? left.slice(0, 1) : left) {
      if (draft.records.instances.get(name)?.owner === 'none') startBlock(draft, name, 'deploy', run.runId, target.id)
    }
    return
  }
}

/** What an update still has to touch, in the order of the phases. */
export function updateCandidates(records: Records, target: Target): InstanceRecord[][] {
  const phases = updatePhases(target.spec).map((phase) =>
    phase.instances.flatMap((name) => {
      const instance = records.instances.get(name)
      if (instance === undefined) return []
      const isLeft = instance.owner === 'update' || !instance.deployed || !matchesTarget(records, instance, target)
      return isLeft ? [instance] : []
    }),
  )
  return phases.filter((left) => left.length > 0)
}

function claimForUpdate(draft: Draft, env: Env, run: RunRecord, target: Target): void {
  const { records } = draft
  if (run.paused || isOwned(draft, 'update')) return forgetAnswers(draft, run)
  const phases = updateCandidates(records, target)
  if (phases.length === 0) return forgetAnswers(draft, run)
  // The reason for the update may be its cure, so no gate and no order stands before it, whatever phase it is in.
  const broken = phases.flat().find((instance) => isBroken(draft, instance))
  if (broken !== undefined && draft.volatile.stream !== undefined)
    return startBlock(draft, nameOf(broken), 'update', run.runId, target.id)
  if (updateBlocker(draft) !== undefined) return forgetAnswers(draft, run)
  if (!passPreFlight(draft, env, run, target)) return
  const next = chooseNext(draft, env, run, target, (phases[0] ?? []).map(nameOf))
  if (next === undefined) return
  const instance = records.instances.get(next)
  if (instance === undefined || needOf(draft, instance).kind === 'wait') return forgetAnswers(draft, run)
  claimThroughGates(draft, env, next, target)
}

/** Whether a plan has an instance in hand. */
export const isOwned = (state: State, owner: Owner): boolean =>
  openInstances(state).some(([, instance]) => instance.owner === owner)

/** What was answered before a failure or a pause says nothing about the time after it. */
function forgetAnswers(draft: Draft, run: RunRecord): void {
  const kept = lastingQuestions(run)
  if (Object.keys(kept).length === Object.keys(run.questions).length) return
  draft.setRun({ ...run, questions: kept })
  draft.decided()
}

const lastingQuestions = (run: RunRecord): RunRecord['questions'] =>
  Object.fromEntries(Object.entries(run.questions).filter(([key]) => key !== 'order' && !key.startsWith('before/')))

function chooseNext(
  draft: Draft,
  env: Env,
  run: RunRecord,
  target: Target,
  candidates: readonly PodInstanceName[],
): PodInstanceName | undefined {
  const hook = target.spec.update.order
  if (hook === undefined || candidates.length < 2) return candidates[0]
  const order = askOrder(draft, env, run, hook, candidates)
  return order === undefined ? undefined : candidates.find((name) => name === order[0])
}

/** The gates before a block are asked for this one candidate, and their answers count for it alone. */
function claimThroughGates(draft: Draft, env: Env, name: PodInstanceName, target: Target): void {
  const run = draft.records.runs.get('update')
  if (run === undefined) return
  const prefix = `before/${name}/`
  const about = { plan: 'update', instance: name }
  const open = passGates(draft, env, target.spec.update.beforeEach, prefix, run.questions, about, (questions) => {
    const others = (key: string) => key.startsWith('before/') && !key.startsWith(prefix)
    draft.setRun({ ...run, questions: Object.fromEntries(Object.entries(questions).filter(([key]) => !others(key))) })
    draft.decided()
  })
  if (!open) return
  draft.setRun({ ...run, questions: lastingQuestions(run) })
  startBlock(draft, name, 'update', run.runId, target.id)
}

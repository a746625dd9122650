/**
 * Which instance a plan may take in hand next. Recovery takes what has failed and nobody owns; deploy goes phase by phase;
 * update takes one at a time, and a healthy one only while everything else is healthy: that is the service's disruption
 * budget. Pure.
 */
import type { PodInstanceName } from '../ids.js'
import { deployPhases, updatePhases, type PlannedPhase } from '../plan/phases.js'
import type { RunRecord } from '../plan/run-record.js'
import { isReady, matchesTarget, needOf, needsRecovery, podTasks, targetOf } from './assess.js'
import { newRunId, startBlock } from './blocks.js'
import type { Draft } from './draft.js'
import type { Env } from './env.js'
import { askOrder, passGates } from './questions.js'
import type { InstanceRecord } from './records/instance-record.js'
import type { Records, Target } from './state.js'

/** Failures in a row after which an instance counts as broken on its present configuration: a newer one may be the cure. */
const brokenAfterFailures = 3

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

function claimForRecovery(draft: Draft, env: Env): void {
  for (const [name, instance] of draft.records.instances) {
    if (instance.owner === 'none' && needsRecovery(draft.records, instance))
      startBlock(draft, name, 'recovery', newRunId(env), instance.targetId)
  }
}

/** True once a run's pre-flight gates are open. */
function passPreFlight(draft: Draft, env: Env, run: RunRecord, target: Target): boolean {
  return passGates(draft, env, target.spec[run.plan].preFlight, 'preFlight/', run.questions, { plan: run.plan }, (questions) => {
    draft.setRun({ ...run, questions })
    draft.decided()
  })
}

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

/** What an update still has to touch, in the order of the phases; only the first unfinished phase. */
export function updateCandidates(
  records: Records,
  target: Target,
): { phase: PlannedPhase; names: PodInstanceName[] } | undefined {
  for (const phase of updatePhases(target.spec)) {
    const names = phase.instances.filter((name) => {
      const instance = records.instances.get(name)
      return (
        instance !== undefined && (instance.owner === 'update' || !instance.deployed || !matchesTarget(records, instance, target))
      )
    })
    if (names.length > 0) return { phase, names }
  }
  return undefined
}

function claimForUpdate(draft: Draft, env: Env, run: RunRecord, target: Target): void {
  const { records, volatile } = draft
  if (run.paused || volatile.stream === undefined || !passPreFlight(draft, env, run, target)) return
  const found = updateCandidates(records, target)
  if (found === undefined) return
  const instances = found.names.map((name) => [name, records.instances.get(name) as InstanceRecord] as const)
  if ([...records.instances.values()].some((instance) => instance.owner === 'update')) return
  const broken = instances.find(([, instance]) => isBroken(records, instance))
  if (broken !== undefined) return startBlock(draft, broken[0], 'update', run.runId, target.id)
  if ([...records.instances.values()].some((instance) => instance.deployed && !isReady(records, instance))) return
  const free = instances.filter(([, instance]) => instance.owner === 'none').map(([name]) => name)
  const next = chooseNext(draft, env, run, target, free)
  if (next === undefined || needOf(draft, records.instances.get(next) as InstanceRecord).kind === 'wait') return
  claimThroughGates(draft, env, next, target)
}

/** Crash-looping on an older configuration, or never deployed on it. */
function isBroken(records: Records, instance: InstanceRecord): boolean {
  const own = targetOf(records, instance)
  if (own === undefined || instance.owner !== 'recovery' || isReady(records, instance)) return false
  return podTasks(records, instance, own).some((task) => task.record.backoff.failures >= brokenAfterFailures)
}

function chooseNext(
  draft: Draft,
  env: Env,
  run: RunRecord,
  target: Target,
  free: readonly PodInstanceName[],
): PodInstanceName | undefined {
  const [first] = free
  const hook = target.spec.update.order
  if (hook === undefined || free.length < 2) return first
  const order = askOrder(draft, env, run, hook, free)
  return order === undefined ? undefined : free.find((name) => name === order[0])
}

/** The gates before a block are asked for this one candidate, and their answers count for it alone. */
function claimThroughGates(draft: Draft, env: Env, name: PodInstanceName, target: Target): void {
  const run = draft.records.runs.get('update')
  if (run === undefined) return
  const prefix = `before/${name}/`
  const open = passGates(
    draft,
    env,
    target.spec.update.beforeEach,
    prefix,
    run.questions,
    { plan: 'update', instance: name },
    (questions) => {
      draft.setRun({ ...run, questions: withoutOtherCandidates(questions, prefix) })
      draft.decided()
    },
  )
  if (!open) return
  const rest = Object.entries(run.questions).filter(([key]) => key !== 'order' && !key.startsWith('before/'))
  draft.setRun({ ...run, questions: Object.fromEntries(rest) })
  startBlock(draft, name, 'update', run.runId, target.id)
}

const withoutOtherCandidates = (questions: RunRecord['questions'], prefix: string): RunRecord['questions'] =>
  Object.fromEntries(Object.entries(questions).filter(([key]) => !key.startsWith('before/') || key.startsWith(prefix)))

/**
 * A lost store out of what is left: reservations and their labels say what each instance stands on, tasks with their labels and
 * statuses what runs on it and from which content, the operator API which framework it is. Where that is contradictory or too
 * little it refuses, because a scheduler would act on what is written here: whatever is doubtful is the operator's to say. Pure.
 */
import {
  frameworkId,
  instanceOfTask,
  nameOfTask,
  runId,
  type FrameworkId,
  type IdSource,
  type PodInstanceName,
  type TargetConfigId,
  type TaskName,
} from '../ids.js'
import { labelNames } from '../offer-evaluator/labels.js'
import { deployPhases } from '../plan/phases.js'
import type { RunRecord } from '../plan/run-record.js'
import { matchesTarget } from '../scheduler/assess.js'
import type { ClusterView, FrameworkView, KnownTask } from '../scheduler/cluster-view.js'
import { frameworksOf } from '../scheduler/founding.js'
import type { InstanceRecord } from '../scheduler/records/instance-record.js'
import { noRecords, type Records, type Target } from '../scheduler/state.js'
import { buildTarget } from '../scheduler/target.js'
import { principalOf, roleOf } from '../spec/check-update.js'
import type { ServiceSpec } from '../spec/schema.js'
import type { TaskRecord } from '../state-machine/task-record.js'
import { isLive, ownTasks } from './compare-tasks.js'
import { isOn, launchedAtMs, type Conclusions, type Evidence, type RebuildAnswers } from './evidence.js'
import { rebuildInstance, type RebuiltInstance } from './rebuild-instance.js'
import { describeAgent, foundFootprints, ownReservations } from './reservations.js'

export interface RebuildRequest {
  /** The spec that is deployed. */
  readonly spec: ServiceSpec
  /** Earlier specs that instances may still be on, as in an update that is not complete. */
  readonly previous: readonly ServiceSpec[]
  readonly cluster: ClusterView
  readonly answers: RebuildAnswers
  readonly nowMs: number
  readonly ids: IdSource
}

export type RebuildResult =
  | { readonly ok: true; readonly records: Records; readonly says: readonly string[] }
  | { readonly ok: false; readonly reasons: readonly string[] }

export function rebuildRecords(request: RebuildRequest): RebuildResult {
  const { spec, answers } = request
  const conclusions: Conclusions = { reasons: [], says: [] }
  const { reasons, says } = conclusions
  const evidence = gather(request, conclusions)
  const framework = findFramework(request, evidence.tasks, conclusions)
  const values = findValues(spec, evidence, conclusions)
  const instances: RebuiltInstance[] = []
  for (const [pod, { count }] of Object.entries(spec.pods))
    for (let index = 0; index < count; index++) {
      const rebuilt = rebuildInstance(evidence, pod, index, conclusions)
      if (rebuilt !== undefined) instances.push(rebuilt)
    }
  const names = new Set<string>(deployPhases(spec).flatMap((phase) => phase.instances))
  for (const name of [...answers.fresh, ...answers.used])
    if (!names.has(name)) reasons.push(`${name}: SPEC has no such instance; correct the option`)
  checkUnplanned(evidence, names, conclusions)
  checkMissing(spec, instances, evidence, conclusions)
  if (reasons.length > 0) return { ok: false, reasons: [...new Set(reasons)] }
  const records = assembleRecords(request, evidence, instances, framework, values)
  for (const line of describeRoll(records)) says.push(line)
  return { ok: true, records, says }
}

function gather({ spec, previous, cluster, answers, nowMs }: RebuildRequest, { reasons }: Conclusions): Evidence {
  const { agents } = cluster
  for (const other of previous)
    if (other.name !== spec.name) reasons.push(`the previous spec is of service ${other.name}, and SPEC of ${spec.name}`)
  if (agents.recovered.length > 0) {
    const names = agents.recovered.map(describeAgent).join(', ')
    reasons.push(`${agents.recovered.length} agents are not back since the master was restarted (${names}); wait until they are`)
  }
  const { footprints, unclear } = foundFootprints(ownReservations(spec, agents.registered))
  for (const { agent, resourceId } of unclear)
    reasons.push(
      `${describeAgent(agent)} has ${resourceId} reserved under the labels of this service, which contradict each other; unreserve it`,
    )
  return {
    targets: [buildTarget(spec), ...previous.map(buildTarget)],
    answers,
    role: roleOf(spec),
    service: spec.name,
    frameworkIds: new Set(frameworksOf(spec, cluster.frameworks).map(({ id }) => id)),
    footprints,
    tasks: ownTasks(spec, noRecords, cluster),
    executors: cluster.executors,
    operations: cluster.operations,
    isComplete: agents.recovered.length === 0 && agents.unreachable === 0,
    nowMs,
  }
}

/** The id to subscribe under; undefined where there is none left, and the service is founded anew on what it has reserved. */
function findFramework(
  { spec, cluster, answers }: RebuildRequest,
  tasks: readonly KnownTask[],
  { reasons, says }: Conclusions,
): FrameworkId | undefined {
  const existing = frameworksOf(spec, cluster.frameworks)
  const living = tasks.filter(isLive)
  const ids = new Set<FrameworkId>([...existing.map(({ id }) => id), ...living.map((task) => task.frameworkId)])
  const wanted = answers.frameworkId === undefined ? undefined : frameworkId(answers.frameworkId)
  if (wanted !== undefined && !ids.has(wanted)) {
    reasons.push(`framework ${wanted} is none of this service; there are: ${[...ids].join(', ') || 'none'}`)
    return undefined
  }
  const [id, ...others] = wanted === undefined ? [...ids] : [wanted]
  if (others.length > 0) {
    reasons.push(
      `the cluster has several frameworks of this service: ${[...ids].join(', ')}; name the right one with --framework`,
    )
    return undefined
  }
  for (const task of living)
    if (task.frameworkId !== id) reasons.push(`task ${task.id} may live under framework ${task.frameworkId}; end it first`)
  if (id === undefined) {
    const removed = frameworksOf(spec, cluster.frameworks, 'completed').map((framework) => framework.id)
    says.push(
      `${removed.length === 0 ? 'no framework of it is known' : `framework ${removed.join(', ')} was removed`}: the service is founded anew on what it has reserved`,
    )
    return undefined
  }
  const known = cluster.frameworks.find((framework) => framework.id === id)
  if (known !== undefined) checkFramework(spec, known, reasons)
  return id
}

function checkFramework(spec: ServiceSpec, { id, state, principal, user }: FrameworkView, reasons: string[]): void {
  if (state === 'connected') reasons.push(`a scheduler is subscribed as framework ${id}; stop it, whatever store it has`)
  if (principal !== undefined && principal !== principalOf(spec))
    reasons.push(`framework ${id} has principal ${principal}, and SPEC has ${principalOf(spec)}; it can never change`)
  if (user !== '' && user !== spec.user)
    reasons.push(`framework ${id} runs as user ${user}, and SPEC has ${spec.user}; it can never change`)
}

/** Generated once and for ever: every task was launched with them in its labels. */
function findValues(spec: ServiceSpec, evidence: Evidence, { reasons, says }: Conclusions): Record<string, string> {
  const { tasks, footprints, executors, answers } = evidence
  const values: Record<string, string> = { ...answers.values }
  // Those of an earlier life of the service had values of their own.
  const present = tasks.filter((task) => footprints.some((footprint) => isOn(evidence, task, footprint)))
  const sources = [...present.map(({ labels }) => labels), ...executors.map(({ executor }) => executor.labels)]
  for (const labels of sources) {
    if (!labels.some(({ key, value }) => key === labelNames.service && value === spec.name)) continue
    for (const { key, value } of labels) {
      if (!key.startsWith(labelNames.value)) continue
      const name = key.slice(labelNames.value.length)
      if (values[name] !== undefined && values[name] !== value)
        reasons.push(
          `value ${name} is ${values[name]} in one place and ${value} in another; end the tasks that have the wrong one`,
        )
      values[name] ??= value
    }
  }
  for (const name of Object.keys(spec.values))
    if (values[name] === undefined)
      reasons.push(`value ${name} was generated once, and no task tells it any more; give it as --value ${name}=...`)
  for (const name of Object.keys(answers.values)) says.push(`value ${name} is ${values[name]}, as you said`)
  return values
}

/** What is there of instances that SPEC does not have. */
function checkUnplanned({ footprints, tasks }: Evidence, names: ReadonlySet<string>, { reasons }: Conclusions): void {
  const reserved = footprints.map(({ instance, agent }) => ({ instance, where: `resources reserved on ${describeAgent(agent)}` }))
  const living = tasks.filter(isLive).flatMap(({ id, agentId }) => {
    const instance = instanceOfTask(nameOfTask(id))
    return [{ instance: instance ?? nameOfTask(id), where: `task ${id} on agent ${agentId}` }]
  })
  for (const { instance, where } of [...reserved, ...living])
    if (!names.has(instance))
      reasons.push(`${instance}: SPEC has no such instance, and there is ${where}; give the spec that is deployed`)
}

/** An instance of which nothing is found may only be one that the deployment has not come to yet. */
function checkMissing(
  spec: ServiceSpec,
  instances: readonly RebuiltInstance[],
  { isComplete }: Evidence,
  { reasons, says }: Conclusions,
): void {
  const launched = new Set(instances.flatMap(({ name, record }) => (record.launched ? [name] : [])))
  for (const { name } of instances.filter(({ isMissing }) => isMissing)) {
    const after = deployedAfter(spec, name).filter((other) => launched.has(other))
    if (!isComplete) {
      reasons.push(
        `${name}: nothing of it is found, and there are unreachable agents that may hold it; bring them back, or declare them gone (MARK_AGENT_GONE), or give --new ${name}`,
      )
    } else if (after.length > 0) {
      reasons.push(
        `${name}: nothing of it is found, and ${after[0]}, which is deployed after it, has run; its data is gone unless an agent comes back. Give --new ${name} to place it anew`,
      )
    } else says.push(`${name}: nothing of it is found; the deployment had not come to it, and goes on with it`)
  }
}

/** What a deployment takes in hand only when this instance is done. */
function deployedAfter(spec: ServiceSpec, name: PodInstanceName): PodInstanceName[] {
  const phases = deployPhases(spec)
  const at = phases.findIndex((phase) => phase.instances.includes(name))
  const phase = phases[at]
  const within = phase?.strategy === 'serial' ? phase.instances.slice(phase.instances.indexOf(name) + 1) : []
  return [...within, ...phases.slice(at + 1).flatMap(({ instances }) => instances)]
}

function assembleRecords(
  { spec, nowMs, ids }: RebuildRequest,
  { targets, tasks }: Evidence,
  rebuilt: readonly RebuiltInstance[],
  framework: FrameworkId | undefined,
  values: Record<string, string>,
): Records {
  const [main] = targets
  const used = new Set<TargetConfigId>([main.id, ...rebuilt.map(({ record }) => record.targetId)])
  const startedAtMs = Math.min(nowMs, ...tasks.flatMap((task) => launchedAtMs(task) ?? []))
  const isDeployed = rebuilt.every(({ record }) => record.deployed)
  const deploy: RunRecord = {
    v: 2,
    plan: 'deploy',
    runId: runId(ids.uuid('run')),
    targetId: main.id,
    startedAtMs,
    ...(isDeployed ? { completedAtMs: nowMs } : {}),
    // What has begun had passed its pre-flight gates.
    isCure: rebuilt.some(({ record }) => record.launched),
    paused: false,
    questions: {},
  }
  const counts = Object.entries(spec.pods).map(([pod, { count }]): [string, number] => [pod, count])
  return {
    service: {
      v: 2,
      name: spec.name,
      user: spec.user,
      principal: principalOf(spec),
      ...(framework === undefined ? {} : { frameworkId: framework }),
      targetId: main.id,
      values,
      firstCounts: Object.fromEntries(counts),
    },
    targets: new Map(targets.flatMap((target): [TargetConfigId, Target][] => (used.has(target.id) ? [[target.id, target]] : []))),
    instances: new Map(rebuilt.map(({ name, record }): [PodInstanceName, InstanceRecord] => [name, record])),
    tasks: new Map(rebuilt.flatMap((each): [TaskName, TaskRecord][] => [...each.tasks])),
    runs: new Map([['deploy', deploy]]),
  }
}

/** What a scheduler with SPEC will restart, in the order of an update. */
function describeRoll(records: Records): string[] {
  const target = records.service === undefined ? undefined : records.targets.get(records.service.targetId)
  if (target === undefined) return []
  const rolled = [...records.instances].filter(
    ([, instance]) => instance.footprint !== undefined && !matchesTarget(records, instance, target),
  )
  return rolled.length === 0
    ? []
    : [`SPEC is not what runs everywhere: a scheduler rolls ${rolled.map(([name]) => name).join(', ')} to it`]
}

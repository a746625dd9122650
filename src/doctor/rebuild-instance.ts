/** The record of one pod instance and those of its tasks, out of its reservations and of what the master knows of its tasks. Pure. */
import { podInstanceName, taskName, type PodInstanceName, type TaskName } from '../ids.js'
import type { Footprint } from '../offer-evaluator/footprint-record.js'
import { labelNames } from '../offer-evaluator/labels.js'
import { labelOf, type KnownTask } from '../scheduler/cluster-view.js'
import { newInstanceRecord, type InstanceRecord } from '../scheduler/records/instance-record.js'
import type { Target } from '../scheduler/state.js'
import { nameOfTask } from '../ids.js'
import type { PodSpec, TaskSpec } from '../spec/schema.js'
import type { TaskRecord } from '../state-machine/task-record.js'
import { isLive } from './compare-tasks.js'
import { generationOf, isOn, livingOf, tasksOfInstance, type Conclusions, type Evidence } from './evidence.js'
import { buildFootprint, chooseFootprint, isUsable } from './rebuild-footprint.js'
import { buildTaskRecord, finishedHashOf, isIdle, missingOf, wasReady } from './rebuild-task.js'
import { describeAgent, type FoundFootprint } from './reservations.js'

export interface RebuiltInstance {
  readonly name: PodInstanceName
  readonly record: InstanceRecord
  readonly tasks: ReadonlyMap<TaskName, TaskRecord>
  /** Nothing of it was found; whether that may be is decided where all instances are known. */
  readonly isMissing: boolean
}

/** Undefined when it cannot be rebuilt; the reasons say why. */
export function rebuildInstance(
  evidence: Evidence,
  pod: string,
  index: number,
  conclusions: Conclusions,
): RebuiltInstance | undefined {
  const name = podInstanceName(pod, index)
  const tasks = tasksOfInstance(evidence, name)
  if (!areReadable(name, tasks, conclusions)) return undefined
  const found = chooseFootprint(evidence, name, tasks, conclusions)
  const mine = found === undefined ? tasks : tasks.filter((task) => isOn(evidence, task, found))
  const target = targetFor(evidence, pod, mine)
  if (target === undefined) {
    for (const task of livingOf(mine)) conclusions.reasons.push(describeOther(name, task, evidence.targets[0]))
    return undefined
  }
  if (found === undefined) return withoutFootprint(evidence, pod, index, tasks, conclusions)
  return withFootprint(evidence, { pod, index, name, tasks: mine, target, found }, conclusions)
}

/** What no record can be made of without guessing. */
function areReadable(name: PodInstanceName, tasks: readonly KnownTask[], { reasons }: Conclusions): boolean {
  const before = reasons.length
  const living = livingOf(tasks)
  for (const task of living) {
    const missing = missingOf(task)
    if (missing.length > 0)
      reasons.push(`${name}: task ${task.id} lacks ${missing.join(', ')}; a version without these launched it`)
    if (task.list === 'unreachable')
      reasons.push(
        `${name}: task ${task.id} is unreachable with its agent ${task.agentId}, whose reservations cannot be seen; bring the agent back, or declare it gone (MARK_AGENT_GONE) and give --new ${name}`,
      )
  }
  for (const task of living) {
    const twins = living.filter((other) => nameOfTask(other.id) === nameOfTask(task.id))
    if (twins.length > 1 && twins[0] === task)
      reasons.push(
        `${name}: ${twins.map(({ id, agentId }) => `${id} on agent ${agentId}`).join(' and ')} may both live; end all but the one that is right`,
      )
  }
  return reasons.length === before
}

/** The first of the given specs that would restart none of its tasks; without tasks that live, that of the last launch. */
function targetFor({ targets }: Evidence, pod: string, tasks: readonly KnownTask[]): Target | undefined {
  const living = livingOf(tasks)
  if (living.length > 0) return targets.find((target) => living.every((task) => isFrom(target, pod, task)))
  const last = tasks.at(-1)
  return (last === undefined ? undefined : targets.find((target) => isFrom(target, pod, last))) ?? targets[0]
}

function isFrom(target: Target, pod: string, task: KnownTask): boolean {
  const name = taskPart(task)
  const spec = target.spec.pods[pod]?.tasks[name]
  if (spec === undefined || labelOf(task.labels, labelNames.pod) !== target.pods[pod]?.pod) return false
  const isOnce = spec.goal === 'ONCE' || spec.goal === 'INIT'
  return isOnce || labelOf(task.labels, labelNames.task) === target.pods[pod]?.tasks[name]
}

/** `broker-1-server` has the part `server`. */
const taskPart = ({ id }: KnownTask): string => nameOfTask(id).replace(/^.+?-\d+-/, '')

const describeOther = (name: string, { id, labels }: KnownTask, { id: given }: Target): string =>
  `${name}: task ${id} was launched from spec ${labelOf(labels, labelNames.spec) ?? 'unknown'}, and a scheduler with SPEC (${given}) would restart it; ` +
  'give the spec that is deployed, or that one as --previous'

/** Its records as they would be before its first placement. */
function withoutFootprint(
  { answers, targets, frameworkIds }: Evidence,
  pod: string,
  index: number,
  tasks: readonly KnownTask[],
  { reasons, says }: Conclusions,
): RebuiltInstance | undefined {
  const name = podInstanceName(pod, index)
  const living = livingOf(tasks)
  for (const { id, agentId } of living)
    reasons.push(
      `${name}: task ${id} may live on agent ${agentId}, and nothing is reserved for it there; end it, and start over with --new ${name}`,
    )
  if (living.length > 0) return undefined
  const isFresh = answers.fresh.includes(name)
  if (isFresh) says.push(`${name}: nothing is reserved for it; it is placed anew, as you said`)
  const generation = Math.max(0, ...tasks.map(generationOf))
  const remembered = tasks.findLast(({ frameworkId }) => frameworkIds.has(frameworkId))
  if (!isFresh && remembered !== undefined) {
    reasons.push(
      `${name}: the master remembers task ${remembered.id}, and nothing is reserved for it any more; its data is gone unless its agent comes back. Give --new ${name} to place it anew`,
    )
    return undefined
  }
  return {
    name,
    record: { ...newInstanceRecord(pod, index, targets[0].id), generation },
    tasks: new Map(),
    isMissing: !isFresh,
  }
}

interface Found {
  readonly pod: string
  readonly index: number
  readonly name: PodInstanceName
  readonly tasks: readonly KnownTask[]
  readonly target: Target
  readonly found: FoundFootprint
}

function withFootprint(evidence: Evidence, of: Found, conclusions: Conclusions): RebuiltInstance | undefined {
  const { pod, index, name, tasks, target, found } = of
  const isFresh = evidence.answers.fresh.includes(name)
  const living = livingOf(tasks)
  if (isFresh && living.length > 0) {
    conclusions.reasons.push(`${name}: --new says that it never ran, and ${living[0]?.id} may live; leave the option out`)
    return undefined
  }
  const quietly: Conclusions = { reasons: [], says: [] }
  const footprint = buildFootprint(evidence, found, pod, target, isFresh ? quietly : conclusions)
  if (isFresh && (footprint === undefined || !isUsable(footprint))) {
    conclusions.says.push(
      `${name}: what is reserved for it on ${describeAgent(found.agent)} is not usable and left alone; it is placed anew, as you said`,
    )
    return {
      name,
      record: { ...newInstanceRecord(pod, index, target.id), generation: found.generation },
      tasks: new Map(),
      isMissing: false,
    }
  }
  return footprint === undefined ? undefined : assemble(evidence, of, footprint, isFresh, conclusions)
}

/** Flags and task records, once it is clear on what the instance stands. */
function assemble(
  evidence: Evidence,
  of: Found,
  footprint: Footprint,
  isFresh: boolean,
  conclusions: Conclusions,
): RebuiltInstance | undefined {
  const { pod, index, name, target, found } = of
  const spec = target.spec.pods[pod]
  if (spec === undefined) return undefined
  const tasks = isFresh ? [] : of.tasks
  const isUsed = evidence.answers.used.includes(name)
  const progress = progressOf(name, spec, tasks)
  const unknown = tasks.length === 0 ? ['whether anything of it ever ran'] : progress.unknown
  if (unknown.length > 0 && !isFresh && !isUsed) {
    conclusions.reasons.push(
      `${name}: nothing tells ${unknown.join(', ')}; give --used ${name} if it ran and its one-time tasks have succeeded, or --new ${name} if it never ran`,
    )
    return undefined
  }
  if (unknown.length > 0) conclusions.says.push(`${name}: ${isUsed ? 'it ran before' : 'it never ran'}, as you said`)
  const executor = findExecutor(evidence, name, tasks, conclusions)
  if (executor === 'unseen') return undefined
  const isDeployed = isUsed || progress.isDeployed
  const record: InstanceRecord = {
    ...newInstanceRecord(pod, index, target.id),
    generation: found.generation,
    footprint,
    initialisedGeneration: hasInitialisation(spec) && (isUsed || progress.isInitialised) ? found.generation : 0,
    launched: isUsed || tasks.length > 0,
    joined: isDeployed,
    deployed: isDeployed,
    ...(executor === undefined
      ? {}
      : { executor: { ...executor, resources: [...executor.resources], labels: [...executor.labels] } }),
    ...(livingOf(tasks).some(isIdle) ? { paused: true as const } : {}),
  }
  return { name, record, tasks: taskRecords(evidence, of, tasks, isUsed), isMissing: false }
}

const hasInitialisation = ({ tasks }: PodSpec): boolean => Object.values(tasks).some(({ goal }) => goal === 'INIT')

interface Progress {
  readonly isInitialised: boolean
  readonly isDeployed: boolean
  /** What would have to be known, in words. */
  readonly unknown: readonly string[]
}

/** How far it has come on this footprint. */
function progressOf(name: PodInstanceName, spec: PodSpec, tasks: readonly KnownTask[]): Progress {
  const of = (task: string): KnownTask[] => tasks.filter(({ id }) => nameOfTask(id) === taskName(name, task))
  const entries = Object.entries(spec.tasks)
  const isRunning = ([, { goal }]: [string, TaskSpec]): boolean => goal === 'RUNNING'
  // Everything else of a pod is launched after its initialisation has succeeded.
  const isInitialised = entries.every(
    ([task, { goal }]) => goal !== 'INIT' || finishedHashOf(taskName(name, task), task, tasks) !== undefined,
  )
  const hasBegun = entries.some(([task, { goal }]) => goal !== 'INIT' && of(task).length > 0)
  const isDeployed =
    tasks.some(({ labels }) => labelOf(labels, labelNames.deployed) === 'true') ||
    entries.filter(isRunning).every(([task, content]) => of(task).some((launch) => wasReady(launch, content)))
  const unknown = entries.flatMap(([task, { goal }]) => {
    if (goal !== 'ONCE' && goal !== 'FINISH') return []
    const isKnown = of(task).length > 0 || finishedHashOf(taskName(name, task), task, tasks) !== undefined
    return isKnown ? [] : [`whether its one-time task ${task} has succeeded`]
  })
  return { isInitialised: isInitialised || hasBegun, isDeployed, unknown }
}

function taskRecords(
  { nowMs }: Evidence,
  { name, pod, target }: Found,
  tasks: readonly KnownTask[],
  isUsed: boolean,
): Map<TaskName, TaskRecord> {
  const records = new Map<TaskName, TaskRecord>()
  for (const [task, spec] of Object.entries(target.spec.pods[pod]?.tasks ?? {})) {
    const full = taskName(name, task)
    const launches = tasks.filter(({ id }) => nameOfTask(id) === full)
    const latest = launches.find(isLive) ?? launches.findLast((launch) => missingOf(launch).length === 0)
    const isOneTime = spec.goal === 'ONCE' || spec.goal === 'FINISH'
    const assumed = isUsed && isOneTime ? target.pods[pod]?.tasks[task] : undefined
    const finishedHash = finishedHashOf(full, task, tasks) ?? assumed
    if (latest !== undefined || finishedHash !== undefined) records.set(full, buildTaskRecord(latest, spec, finishedHash, nowMs))
  }
  return records
}

/** The description that the living tasks' executor was sent with: it must be repeated unchanged while it lives. */
function findExecutor(
  { executors }: Evidence,
  name: PodInstanceName,
  tasks: readonly KnownTask[],
  { reasons }: Conclusions,
): InstanceRecord['executor'] | undefined | 'unseen' {
  const living = livingOf(tasks)
  const ids = [...new Set(living.flatMap(({ executorId }) => executorId ?? []))]
  const [id, ...others] = ids
  if (id === undefined) return undefined
  if (others.length > 0) {
    reasons.push(`${name}: its tasks live in several executors (${ids.join(', ')}); end those of all but one`)
    return 'unseen'
  }
  const found = executors.find(({ agentId, executor }) => agentId === living[0]?.agentId && executor.executorId === id)
  if (found !== undefined) {
    const { resources, labels, ...rest } = found.executor
    return { ...rest, resources: [...resources], labels: [...labels] }
  }
  reasons.push(`${name}: executor ${id} of its tasks is not shown; grant this principal view_executors`)
  return 'unseen'
}

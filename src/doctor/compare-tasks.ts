/** Task records against the tasks that the master knows. Pure. */
import { nameOfTask, type TaskName } from '../ids.js'
import { labelNames } from '../offer-evaluator/labels.js'
import { labelOf, type ClusterView, type KnownTask } from '../scheduler/cluster-view.js'
import { frameworksOf } from '../scheduler/founding.js'
import type { Records } from '../scheduler/state.js'
import { isEnding } from '../scheduler/task-status.js'
import type { ServiceSpec } from '../spec/schema.js'
import { mayBeAlive, type TaskRecord } from '../state-machine/task-record.js'
import { finding, type Finding } from './findings.js'

/** Whether a process of it may exist, as far as the master knows. */
export const isLive = ({ list, state }: KnownTask): boolean => list !== 'completed' && !isEnding(state)

/** Tasks of the service's frameworks, and tasks under its labels in whatever framework. */
export function ownTasks(spec: ServiceSpec, records: Records, { frameworks, tasks }: ClusterView): KnownTask[] {
  const ids = new Set<string>(frameworksOf(spec, frameworks).map(({ id }) => id))
  if (records.service?.frameworkId !== undefined) ids.add(records.service.frameworkId)
  return tasks.filter(({ frameworkId, labels }) => ids.has(frameworkId) || labelOf(labels, labelNames.service) === spec.name)
}

export function compareTasks(records: Records, own: readonly KnownTask[]): Finding[] {
  const known = new Map(own.map((task) => [task.id, task]))
  const stored = [...records.tasks].flatMap(([name, record]) => {
    const task = record.context.launch === undefined ? undefined : known.get(record.context.launch.taskId)
    return compareTask(name, record, task)
  })
  const strangers = own.filter((task) => isLive(task) && launchOf(records, task)?.taskId !== task.id)
  return [...stored, ...strangers.map((task) => describeStranger(records, task))]
}

const launchOf = (records: Records, { id }: KnownTask) => records.tasks.get(nameOfTask(id))?.context.launch

function describeStranger(records: Records, { id, agentId, state, frameworkId }: KnownTask): Finding {
  const record = records.tasks.get(nameOfTask(id))
  const where = `${state} on agent ${agentId}, framework ${frameworkId}`
  if (record?.presumed.includes(id) === true)
    return finding(
      'TASK_NOT_IN_STORE',
      id,
      `${where}; it counts as ended in the store, so the scheduler kills it when it is told of it`,
    )
  const beside = record?.context.launch?.taskId
  return finding('TASK_NOT_IN_STORE', id, beside === undefined ? where : `${where}; the store has ${beside}`)
}

function compareTask(name: TaskName, record: TaskRecord, task: KnownTask | undefined): Finding[] {
  const { launch } = record.context
  if (launch === undefined) return []
  const isAlive = mayBeAlive(record)
  if (task === undefined) {
    const found = `stored as ${record.value} on agent ${launch.agentId}, and the master does not know ${launch.taskId}`
    return isAlive ? [finding('TASK_NOT_AT_MASTER', name, found)] : []
  }
  const findings: Finding[] = []
  const isAway = record.value === 'unreachable'
  const disagrees = isAlive !== isLive(task) || (isAlive && isAway !== (task.list === 'unreachable' || isLost(task)))
  if (disagrees) findings.push(finding('TASK_STATE_DIFFERS', name, `stored as ${record.value}, and the master has ${task.state}`))
  if (task.agentId !== launch.agentId)
    findings.push(finding('TASK_ELSEWHERE', name, `stored on agent ${launch.agentId}, and the master has it on ${task.agentId}`))
  const labels = differingLabels(task, [
    [labelNames.spec, launch.targetId],
    [labelNames.generation, String(launch.generation)],
    [labelNames.task, launch.taskHash],
    [labelNames.pod, launch.podHash],
  ])
  if (labels.length > 0) findings.push(finding('LABELS_DIFFER', name, labels.join('; ')))
  return findings
}

/** States that say nothing about whether it runs. */
const isLost = ({ state }: KnownTask): boolean =>
  state === 'UNREACHABLE' || state === 'LOST' || state === 'UNKNOWN' || state === 'GONE_BY_OPERATOR'

/** A label that is not there was not made yet by the version that launched the task. */
const differingLabels = ({ labels }: KnownTask, expected: readonly (readonly [key: string, value: string])[]): string[] =>
  expected.flatMap(([key, value]) => {
    const present = labelOf(labels, key)
    return present === undefined || present === value ? [] : [`${key} is ${present}, and the record has ${value}`]
  })

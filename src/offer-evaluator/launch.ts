/**
 * Footprint -> what is launched on it: the default executor with the pod's volumes, and one task group per task. Pure.
 */
import type { ExecutorId, TaskId, TaskName } from '../ids.js'
import type { PortSpec } from '../spec/schema.js'
import type { ResolvedTask } from '../spec/task-resources.js'
import { toMilli } from '../units.js'
import { buildExecutorContainer, buildTaskContainer, type PodPlace } from './containers.js'
import type { Footprint, LedgerEntry } from './footprint-record.js'
import type { ExecutorInfo, Operation, TaskInfo, TaskPort } from './operations.js'
import { isExecutorPart, isTaskPart } from './requirement.js'
import type { Labels, Resource } from './resources.js'

/** One task to launch, with everything chosen. */
export interface TaskLaunchPlan {
  readonly task: string
  readonly name: TaskName
  readonly taskId: TaskId
  readonly spec: ResolvedTask
  /** Placeholders replaced. */
  readonly env: readonly { readonly name: string; readonly value: string }[]
  /** Ours; the author's come after them. */
  readonly labels: Labels
}

/** A new incarnation of the pod's executor. */
export function buildExecutor(
  id: ExecutorId,
  place: PodPlace,
  footprint: Footprint,
  resourceOf: (entry: LedgerEntry) => Resource,
  labels: Labels,
): ExecutorInfo {
  const container = buildExecutorContainer(place)
  return {
    executorId: id,
    resources: footprint.entries.filter(isExecutorPart).map(resourceOf),
    labels,
    ...(container === undefined ? {} : { container }),
  }
}

/** One LAUNCH_GROUP per task: tasks of a pod end and restart independently of each other. */
export function buildLaunches(
  executor: ExecutorInfo,
  place: PodPlace,
  footprint: Footprint,
  tasks: readonly TaskLaunchPlan[],
  resourceOf: (entry: LedgerEntry) => Resource,
): Operation[] {
  return tasks.map((task) => ({
    type: 'launchGroup',
    executor,
    tasks: [{ ...buildTask(footprint, task, resourceOf), ...buildSettings(executor, place, task) }],
  }))
}

function buildTask(footprint: Footprint, plan: TaskLaunchPlan, resourceOf: (entry: LedgerEntry) => Resource): TaskInfo {
  const { spec } = plan
  const numbers = footprint.ports[plan.task] ?? {}
  const { readinessCheck, healthCheck } = spec
  return {
    taskId: plan.taskId,
    name: plan.name,
    agentId: footprint.agentId,
    resources: footprint.entries.filter((entry) => isTaskPart(entry, plan.task)).map(resourceOf),
    command: spec.command,
    env: plan.env,
    uris: spec.uris,
    ...(readinessCheck === undefined ? {} : { check: readinessCheck }),
    ...(healthCheck === undefined ? {} : { healthCheck }),
    killGraceMs: spec.killGraceMs,
    labels: [...plan.labels, ...Object.entries(spec.labels ?? {}).map(([key, value]) => ({ key, value }))],
    parentVolumes: footprint.entries.flatMap((entry) => (entry.volume === undefined ? [] : [entry.volume.containerPath])),
    ports: Object.entries(numbers).map(([name, number]) => buildPort(plan.task, name, number, spec.ports[name])),
  }
}

/** What only some services ask for; of the others nothing is sent about it. */
function buildSettings(
  { container: ofExecutor }: ExecutorInfo,
  place: PodPlace,
  { spec, name }: TaskLaunchPlan,
): Partial<TaskInfo> {
  const { user, uris = [], secrets = {} } = place.spec
  const secretEnv = Object.values(secrets).flatMap(({ envKey, secret }) =>
    envKey === undefined ? [] : [{ name: envKey, secret }],
  )
  const container = buildTaskContainer(place, spec, ofExecutor)
  const { limits, discovery } = spec
  return {
    ...(user === undefined ? {} : { user }),
    ...(uris.length === 0 ? {} : { uris: [...uris, ...spec.uris] }),
    ...(secretEnv.length === 0 ? {} : { secretEnv }),
    ...(container === undefined ? {} : { container }),
    ...(limits === undefined ? {} : { limits: toLimits(limits) }),
    ...(discovery === undefined
      ? {}
      : {
          discovery: {
            name: discovery.prefix === undefined ? name : `${discovery.prefix}-${place.index}`,
            visibility: discovery.visibility ?? 'CLUSTER',
          },
        }),
  }
}

const toLimits = ({ cpus, memoryMb }: NonNullable<ResolvedTask['limits']>): NonNullable<TaskInfo['limits']> => ({
  ...(cpus === undefined ? {} : { cpus: cpus === 'unlimited' ? cpus : toMilli(cpus) }),
  ...(memoryMb === undefined ? {} : { mem: memoryMb === 'unlimited' ? memoryMb : toMilli(memoryMb) }),
})

function buildPort(task: string, name: string, number: number, spec: PortSpec | undefined): TaskPort {
  const { advertise = false, vip } = spec ?? {}
  if (vip === undefined) return { name, number, advertise }
  // The same at every launch: whoever watches the label sees nothing change that has not.
  return { name, number, advertise, vip: { key: `${task}-${name}`, name: vip.prefix ?? name, port: vip.port } }
}

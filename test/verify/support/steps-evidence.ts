/**
 * What is demanded of the service of forty steps, whatever its schedulers say: judged over the master's log of accepted calls, its
 * books, and the processes and files of the machine.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { LocalCluster, LocalTask } from '../../../src/local-cluster/cluster-handle.js'
import type { AcceptedCall } from '../../../src/local-cluster/master-control.js'
import { createOperatorClient } from '../../../src/mesos/operator-client.js'
import { labelNames } from '../../../src/offer-evaluator/labels.js'
import type { Resource } from '../../../src/offer-evaluator/resources.js'
import { labelOf } from '../../../src/scheduler/cluster-view.js'
import { killedTasks, launchedTasks, repeated } from './evidence.js'
import { podsOfEachType, podTypes } from './steps-spec.js'

export const pods: readonly string[] = podTypes.flatMap((type) =>
  Array.from({ length: podsOfEachType }, (_, index) => `${type}-${index}`),
)

/** `shard-3` of `shard-3-server__...`. */
const podOf = (taskId: string): string => /^(.+)-server__/.exec(taskId)?.[1] ?? `nobody's ${taskId}`

type Plan = 'deploy' | 'update'

/** Which tasks of each pod run. */
export function runningTasks(cluster: LocalCluster): Map<string, LocalTask[]> {
  const running = new Map<string, LocalTask[]>()
  for (const task of cluster.tasks()) running.set(podOf(task.taskId), [...(running.get(podOf(task.taskId)) ?? []), task])
  return running
}

/** What is wrong with one moment. */
export function judgeMoment(running: ReadonlyMap<string, readonly LocalTask[]>, plan: Plan): string[] {
  const down = pods.filter((pod) => !running.has(pod))
  return [
    ...[...running].flatMap(([pod, tasks]) => (tasks.length > 1 ? [`${pod} runs as ${taskIds(tasks)} at once`] : [])),
    ...(plan === 'update' && down.length > 1 ? [`${down.join(' and ')} are down at once`] : []),
  ]
}

const taskIds = (tasks: readonly LocalTask[]): string => tasks.map(({ taskId }) => taskId).join(' and ')

/** What is wrong with a plan that is complete; `calls` are those that the master has taken since it began. */
export function judgeCalls(
  calls: readonly AcceptedCall[],
  plan: Plan,
  before: ReadonlyMap<string, readonly LocalTask[]>,
): string[] {
  const launched = launchedTasks(calls)
  const killed = new Set(killedTasks(calls))
  const due = new Set(plan === 'deploy' ? [] : [...before.values()].flat().map(({ taskId }) => taskId))
  return [
    ...repeated(launched).map((taskId) => `${taskId} was launched twice`),
    ...[...killed].filter((taskId) => !due.has(taskId)).map((taskId) => `${taskId} was killed and not due`),
    ...[...due].filter((taskId) => !killed.has(taskId)).map((taskId) => `${taskId} was due and not killed`),
    ...(plan === 'deploy' ? judgeDeployOrder(calls) : judgeUpdateOrder(calls)),
  ]
}

/** The first type before the second, and that one pod after the other: a status of each is answered before the next is launched. */
function judgeDeployOrder(calls: readonly AcceptedCall[]): string[] {
  const [first] = podTypes
  const launched = [...new Set(launchedTasks(calls).map(podOf))]
  const early = launched.slice(0, podsOfEachType).filter((pod) => !pod.startsWith(first))
  const serial = launched.slice(podsOfEachType)
  const placeOf = (pod: string): number =>
    calls.findIndex((call) => launchedTasks([call]).some((taskId) => podOf(taskId) === pod))
  const hasty = serial.filter((pod, index) => {
    const before = serial[index - 1]
    return before !== undefined && !calls.slice(placeOf(before), placeOf(pod)).some((call) => answeredPod(call) === before)
  })
  return [
    ...early.map((pod) => `${pod} was launched before every ${first}`),
    ...(isDeepStrictEqual(serial, pods.slice(podsOfEachType)) ? [] : [`launched in the order ${serial.join()}`]),
    ...hasty.map((pod) => `${pod} was launched before anything was known of the one before it`),
  ]
}

/** Whose status was answered. */
const answeredPod = ({ call }: AcceptedCall): string | undefined =>
  call.type === 'ACKNOWLEDGE' ? podOf(call.acknowledge.task_id.value) : undefined

/** Nobody is killed before the one that was killed before runs again, and each has one turn. */
function judgeUpdateOrder(calls: readonly AcceptedCall[]): string[] {
  const problems: string[] = []
  const turns: string[] = []
  let isLaunched = true
  let isBack = true
  for (const call of calls) {
    for (const pod of killedTasks([call]).map(podOf)) {
      if (pod === turns.at(-1)) continue
      if (!isBack) problems.push(`${pod} was killed before ${turns.at(-1)} was back`)
      turns.push(pod)
      isLaunched = false
      isBack = false
    }
    if (launchedTasks([call]).some((taskId) => podOf(taskId) === turns.at(-1))) isLaunched = true
    if (isLaunched && answeredPod(call) === turns.at(-1)) isBack = true
  }
  return isDeepStrictEqual(turns, pods) ? problems : [...problems, `updated in the order ${turns.join()}`]
}

/** What is wrong when everything is at rest: each pod runs once, has been started once for each version, and has its one footprint. */
export async function judgeRest(cluster: LocalCluster, versions: readonly string[]): Promise<string[]> {
  const running = runningTasks(cluster)
  const operator = createOperatorClient({ masters: [cluster.masterUrl] })
  const { registered } = await operator.agents()
  const kept = registered.flatMap(({ resources }) => resources.filter(({ reservations }) => reservations.length > 0))
  const frameworks = await operator.frameworks()
  const operations = await operator.operations()
  return [
    ...pods.flatMap((pod) => judgePod(pod, running.get(pod) ?? [], versions)),
    ...[...running.keys()].filter((pod) => !pods.includes(pod)).map((pod) => `${pod} runs`),
    ...judgeFootprints(kept),
    ...(frameworks.length === 1 ? [] : [`the master knows ${frameworks.length} frameworks`]),
    ...(operations.length === 0 ? [] : [`${operations.length} operations are left without acknowledgement`]),
  ]
}

function judgePod(pod: string, tasks: readonly LocalTask[], versions: readonly string[]): string[] {
  const [task] = tasks
  const [volume] = task?.volumes ?? []
  if (task === undefined || tasks.length > 1 || volume === undefined || task.volumes.length !== 1)
    return [`${pod} runs ${tasks.length} times, with ${task?.volumes.length ?? 0} volumes`]
  const starts = readFileSync(join(volume, 'starts'), 'utf8').trimEnd().split('\n')
  return [
    ...(isDeepStrictEqual(starts, versions) ? [] : [`${pod} was started for versions ${starts.join()}`]),
    ...(existsSync(join(volume, 'twice')) ? [`two of ${pod} were at its volume at once`] : []),
  ]
}

/** All pods are alike, so their footprints are. */
function judgeFootprints(kept: readonly Resource[]): string[] {
  const footprints = new Map<string, string[]>()
  for (const resource of kept) {
    const pod = labelOf(resource.reservations.at(-1)?.labels, labelNames.instance) ?? 'nobody'
    footprints.set(pod, [...(footprints.get(pod) ?? []), printResource(resource)])
  }
  const shapes = new Map([...footprints].map(([pod, parts]) => [pod, parts.sort().join()]))
  const due = shapes.get(pods[0] ?? '')
  return [
    ...pods.filter((pod) => shapes.get(pod) !== due).map((pod) => `${pod} has ${shapes.get(pod)} and not ${due}`),
    ...[...shapes.keys()].filter((pod) => !pods.includes(pod)).map((pod) => `reserved for ${pod}: ${shapes.get(pod)}`),
    ...(due?.match(/volume/g)?.length === 1 ? [] : [`every footprint is ${due}`]),
  ]
}

const printResource = (resource: Resource): string =>
  `${resource.name} ${resource.kind === 'scalar' ? resource.amount : 'several'}${resource.volume === undefined ? '' : ' volume'}`

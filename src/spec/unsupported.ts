/**
 * What a spec may say and this version cannot run: it is checked, shown, compared and hashed like all else, and refused where a
 * scheduler is made. Nothing that an author asked for is left out in silence. Pure.
 */
import { SdkError } from '../errors.js'
import type { SpecIssue } from './issues.js'
import type { PodSpec, ServiceSpec, TaskSpec } from './schema.js'

/** @throws SdkError `ERR_SPEC_UNSUPPORTED` with everything that this version cannot run. */
export function checkSupported(spec: ServiceSpec): void {
  const issues = findUnsupported(spec)
  if (issues.length === 0) return
  const lines = issues.map(({ path, message }) => `  spec.${path}: ${message}`)
  throw new SdkError(
    'ERR_SPEC_UNSUPPORTED',
    `service ${spec.name} asks for more than this version can run:\n${lines.join('\n')}`,
    {
      details: { issues },
    },
  )
}

/** Empty when this version can run all of it. */
export function findUnsupported(spec: ServiceSpec): SpecIssue[] {
  const found: SpecIssue[] = []
  const not = (isUsed: boolean, path: string, what: string): void => {
    if (isUsed) found.push({ path, message: `${what} cannot be run by this version yet; remove it` })
  }
  not(spec.region !== undefined, 'region', 'a region')
  not(Object.keys(spec.plans ?? {}).length > 0, 'plans', 'a plan of your own')
  not(spec.recovery.replace !== undefined, 'recovery.replace', 'replacement without being asked')
  not(spec.deploy.strategy !== undefined, 'deploy.strategy', 'phases in parallel')
  not(spec.update.strategy !== undefined, 'update.strategy', 'phases in parallel')
  not(spec.update.phases !== undefined, 'update.phases', 'other phases for an update')
  ;(spec.deploy.phases ?? []).forEach((phase, index) => {
    const path = `deploy.phases.${index}`
    not(phase.steps !== undefined, `${path}.steps`, 'steps of a phase')
    not(phase.strategy.endsWith('canary'), `${path}.strategy`, 'a canary')
    not(phase.oneWay === true, `${path}.oneWay`, 'a one-way phase')
  })
  for (const [name, pod] of Object.entries(spec.pods)) checkPod(`pods.${name}`, pod, not)
  return found
}

type Not = (isUsed: boolean, path: string, what: string) => void

function checkPod(path: string, pod: PodSpec, not: Not): void {
  const isRunning = Object.values(pod.tasks).some((task) => task.goal === 'RUNNING')
  not(!isRunning, `${path}.tasks`, 'a pod without a task of goal RUNNING')
  not(pod.count === 0, `${path}.count`, 'a pod of no instance')
  not(pod.allowDecommission === true, `${path}.allowDecommission`, 'giving up instances')
  pod.placement.forEach((rule, index) => {
    not(rule.type !== 'maxPerHost', `${path}.placement.${index}`, `the placement rule ${rule.type}`)
  })
  not(pod.networks !== undefined, `${path}.networks`, 'a virtual network')
  not(pod.preReservedRole !== undefined, `${path}.preReservedRole`, 'resources reserved by an operator')
  for (const [name, { type }] of Object.entries(pod.volumes))
    not(type !== 'ROOT', `${path}.volumes.${name}.type`, `a volume of type ${type}`)
  const users = new Map<string, number>()
  for (const { resourceSet } of Object.values(pod.tasks)) {
    if (resourceSet !== undefined) users.set(resourceSet, (users.get(resourceSet) ?? 0) + 1)
  }
  for (const [name, count] of users) not(count > 1, `${path}.resourceSets.${name}`, 'a resource set of several tasks')
  for (const [name, set] of Object.entries(pod.resourceSets ?? {})) checkResources(`${path}.resourceSets.${name}`, set, not)
  for (const [name, task] of Object.entries(pod.tasks)) checkTask(`${path}.tasks.${name}`, task, not)
}

function checkTask(path: string, task: TaskSpec, not: Not): void {
  checkResources(path, task, not)
  not(task.configs !== undefined, `${path}.configs`, 'a configuration template')
  not(task.transportEncryption !== undefined, `${path}.transportEncryption`, 'transport encryption')
  not(task.readinessCheck?.deadline !== undefined, `${path}.readinessCheck.deadline`, 'a deadline for readiness')
  not(task.preStop !== undefined, `${path}.preStop`, 'a command before the stop')
  not(task.essential === false, `${path}.essential`, 'a task that is not essential')
}

function checkResources(path: string, { gpus, volumes }: Pick<TaskSpec, 'gpus' | 'volumes'>, not: Not): void {
  not(gpus !== undefined, `${path}.gpus`, 'a graphics processor')
  not(volumes !== undefined, `${path}.volumes`, 'a volume of one task')
}

/**
 * The scheduler's own account of the service, over its HTTP API: plans, instances, tasks. Nothing here looks into the SDK.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { InstanceView, PlanView, ServiceStatus } from 'stateward'
import type { Endpoint } from '../kafka-connection.js'

const requestLimitMs = 5_000
const pollMs = 300

export async function readStatus(port: number): Promise<ServiceStatus> {
  const response = await fetch(`http://127.0.0.1:${String(port)}/v1/status`, { signal: AbortSignal.timeout(requestLimitMs) })
  if (!response.ok) throw new Error(`GET /v1/status was answered with ${String(response.status)}`)
  return (await response.json()) as ServiceStatus
}

export function instanceOf(status: ServiceStatus, name: string): InstanceView {
  const instance = status.instances.find((candidate) => candidate.name === name)
  if (instance === undefined) throw new Error(`the scheduler knows no instance ${name}`)
  return instance
}

/** Id of the task of a broker or controller that keeps running; empty before its first launch. */
export function serverTaskId(instance: InstanceView): string {
  return instance.tasks.find((task) => task.goal === 'RUNNING')?.taskId ?? ''
}

export function brokersOf(status: ServiceStatus): InstanceView[] {
  return status.instances.filter((instance) => instance.pod === 'broker').sort((left, right) => left.index - right.index)
}

export function clientEndpoint(instance: InstanceView): Endpoint {
  const port = instance.ports['client'] ?? instance.ports['quorum']
  if (port === undefined || instance.address === undefined) throw new Error(`${instance.name} has no place yet`)
  return { host: instance.address, port }
}

/** Task id of every server by its instance. */
export function taskIds(status: ServiceStatus): Map<string, string> {
  return new Map(status.instances.map((instance) => [instance.name, serverTaskId(instance)] as const))
}

/**
 * Asks until `isDone` holds; each answer goes to `onStatus` first. While the scheduler starts or is dead it does not answer,
 * which is waited out too.
 * @throws after `limitMs`, with what the plans last said
 */
export async function waitForStatus(
  port: number,
  isDone: (status: ServiceStatus) => boolean,
  options: {
    readonly what: string
    readonly limitMs: number
    readonly onStatus?: (status: ServiceStatus) => void
    readonly signal: AbortSignal
  },
): Promise<ServiceStatus> {
  const end = Date.now() + options.limitMs
  let last: ServiceStatus | undefined
  while (Date.now() < end) {
    options.signal.throwIfAborted()
    const status = await readStatus(port).catch(() => undefined)
    if (status !== undefined) {
      last = status
      options.onStatus?.(status)
      if (isDone(status)) return status
    }
    await sleep(pollMs, undefined, { signal: options.signal })
  }
  throw new Error(`${options.what} did not happen within ${String(options.limitMs / 1000)} s; ${describe(last)}`)
}

function describe(status: ServiceStatus | undefined): string {
  if (status === undefined) return 'the scheduler never answered'
  const waiting = status.plans
    .filter((plan) => plan.status !== 'COMPLETE')
    .map((plan) => {
      const steps = plan.phases.flatMap((phase) => phase.steps).filter((step) => step.status !== 'COMPLETE')
      return `${plan.name} ${plan.status}: ${steps.map((step) => `${step.name} ${step.status} (${step.reason ?? ''})`).join(', ')}`
    })
  return waiting.length === 0 ? 'every plan is complete' : waiting.join('; ')
}

export function planOf(status: ServiceStatus, name: string): PlanView | undefined {
  return status.plans.find((plan) => plan.name === name)
}

export function isComplete(status: ServiceStatus, plan: string): boolean {
  return planOf(status, plan)?.status === 'COMPLETE'
}

/** A diagnosis, and a rebuild, as lines for an operator. Pure. */
import type { InstanceView, ServiceStatus } from '../scheduler/report.js'
import type { Diagnosis } from './compare.js'

/** What a rebuild has written, or would write. */
export interface Rebuild {
  readonly service: string
  /** Absent where the framework was removed: the next start founds the service anew on what it has reserved. */
  readonly frameworkId?: string
  /** False for a dry run. */
  readonly isWritten: boolean
  /** The service as a scheduler will find it. */
  readonly status: ServiceStatus
  /** `deploy COMPLETE`: each plan, as it will stand after a scheduler's first minute. */
  readonly plans: readonly string[]
  /** What was assumed, and what is left alone. */
  readonly says: readonly string[]
  /** Size of what is stored. */
  readonly records: number
  readonly bytes: number
}

export function renderDiagnosis({ service, frameworkId, leader, compared, findings, notes }: Diagnosis): string {
  const { instances, agents, reservations, tasks } = compared
  const lines = [
    `service ${service}: ${frameworkId === undefined ? 'no framework stored' : `framework ${frameworkId}`}, ${leader === undefined ? 'no scheduler leads' : `led by ${leader}`}`,
    `compared ${instances} stored instances with ${reservations} reserved resources on ${agents} agents and ${tasks} tasks that may live`,
    ...notes.map((note) => `note: ${note}`),
    ...findings.flatMap(({ code, subject, found, means, advice }) => [
      `${code} ${subject}: ${found}`,
      `  means: ${means}`,
      `  do: ${advice}`,
    ]),
  ]
  const verdict =
    findings.length === 0 ? 'nothing differs' : findings.length === 1 ? '1 difference' : `${findings.length} differences`
  return [...lines, verdict].join('\n')
}

export function renderRebuild({ service, frameworkId, isWritten, status, plans, says, records, bytes }: Rebuild): string {
  return [
    `service ${service}: ${frameworkId === undefined ? 'a new framework' : `framework ${frameworkId}`}, target ${status.targetId}`,
    ...Object.entries(status.values).map(([name, value]) => `value ${name}: ${value}`),
    ...status.instances.map(describeInstance),
    ...says.map((line) => `note: ${line}`),
    `a scheduler will find: ${plans.join(', ')}`,
    `${records} records, ${bytes} bytes: ${isWritten ? 'written' : 'not written, this was a dry run'}`,
  ].join('\n')
}

function describeInstance({
  name,
  hostname,
  agentId,
  generation,
  deployed,
  paused,
  ports,
  volumes,
  tasks,
}: InstanceView): string {
  if (hostname === undefined) return `${name}: to be placed`
  const parts = [
    `on ${hostname} (${agentId ?? ''})`,
    `generation ${generation}`,
    deployed ? 'deployed' : 'being deployed',
    ...(paused ? ['paused'] : []),
    ...volumes.map(({ path, persistenceId, state }) => `volume ${path} ${persistenceId} ${state}`),
    ...Object.entries(ports).map(([port, number]) => `port ${port} ${number}`),
    ...tasks.map(({ name: task, state, taskId }) => `${task} ${state}${taskId === undefined ? '' : ` ${taskId}`}`),
  ]
  return `${name}: ${parts.join(', ')}`
}

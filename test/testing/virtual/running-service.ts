/** A deployed service in a virtual cluster, and what happens to it told in short words. */
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createCountingIds } from '../../../src/testing/seeded-ids.js'
import { createVirtualCluster, type VirtualCluster } from '../../../src/testing/virtual/cluster.js'
import type { LogEntry } from '../../../src/testing/virtual/log.js'
import { buildVirtualAgents, type VirtualClusterOptions } from '../../../src/testing/virtual/options.js'
import { createVirtualScheduler, directStore } from '../../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../../src/testing/virtual/tasks.js'
import { databaseSpec } from '../../support/specs.js'

export interface RunningService {
  readonly cluster: VirtualCluster
  /** Host name of the machine with `db-0`, its agent id at the beginning, and the volume there. */
  readonly host: string
  readonly agentId: string
  readonly volume: string
  /** What has happened since it was asked last. */
  story(): string[]
}

const deployLimitMs = 600_000
const agents = 3

/** Two pods of a database on three machines, deployed, and at rest. */
export async function runService(options: Partial<VirtualClusterOptions> = {}): Promise<RunningService> {
  const spec = databaseSpec({ count: 2 })
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(agents), behave: behaveAsSpecified(spec), ...options })
  const store = createMemoryStore({})
  const storeOf = directStore(store, () => cluster.nowMs)
  const scheduler = createVirtualScheduler({ cluster, storeOf, ids: createCountingIds() })
  await scheduler.start(spec)
  const isDeployed = (): boolean => scheduler.status()?.plans.every((plan) => plan.status === 'COMPLETE') === true
  if (!(await cluster.run(isDeployed, deployLimitMs))) throw new Error('the service was not deployed')
  await cluster.advance(1_000)

  let told = cluster.log.length
  const started = cluster.log.find((entry) => entry.type === 'processStarted' && entry.process.name === 'db-0-server')
  if (started?.type !== 'processStarted') throw new Error('db-0-server has not started')
  const { hostname, agentId, volumes } = started.process
  return {
    cluster,
    host: hostname,
    agentId,
    volume: volumes[0] ?? '',
    story() {
      const fresh = cluster.log.slice(told)
      told = cluster.log.length
      return fresh.flatMap((entry) => tell(entry) ?? [])
    },
  }
}

const nameOf = (taskId: string): string => taskId.replace(/__.*$/, '')

/** Undefined for what happens all the time. */
function tell(entry: LogEntry): string | undefined {
  switch (entry.type) {
    case 'eventDelivered': {
      const { event } = entry
      if (event.type === 'offersReceived' || event.type === 'operationStatusReceived') return undefined
      if (event.type !== 'taskStatusReceived') return event.type
      const { taskId, state, reason, source } = event.status
      return `${nameOf(taskId)} is ${state} (${[source, reason].filter((text) => text !== undefined).join(', ')})`
    }
    case 'statusMade':
      return `${nameOf(entry.status.task_id.value)} made ${entry.status.state.replace('TASK_', '')}`
    case 'agentRegistered':
      return `${entry.hostname} is ${entry.agentId.replace(/^.*-/, '')}`
    case 'processStarted':
      return `${entry.process.name} started on ${entry.process.hostname}`
    case 'processSignalled':
      return `${entry.process.name} got ${entry.signal}`
    case 'processEnded':
      return `${entry.process.name} ended: ${entry.cause}`
    case 'diskLost':
      return `${entry.hostname} lost its disk`
    case 'agentGone':
    case 'masterStarted':
    case 'masterStopped':
      return entry.type
    default:
      return undefined
  }
}

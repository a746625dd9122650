/** A service that has lived in a virtual cluster: its store, and what the cluster shows of it. */
import type { OperatorApi } from '../../../src/ports/operator-api.js'
import type { ClusterView } from '../../../src/scheduler/cluster-view.js'
import type { Records } from '../../../src/scheduler/state.js'
import { parseRecords } from '../../../src/scheduler/stored-records.js'
import type { ServiceSpec } from '../../../src/spec/schema.js'
import { createMemoryStore, type MemoryStore } from '../../../src/store/memory-store.js'
import { createCountingIds } from '../../../src/testing/seeded-ids.js'
import { buildVirtualAgents, createVirtualCluster, type VirtualCluster } from '../../../src/testing/virtual/cluster.js'
import { createVirtualOperatorApi } from '../../../src/testing/virtual/operator.js'
import { createVirtualScheduler, directStore, type VirtualScheduler } from '../../../src/testing/virtual/scheduler.js'
import { behaveAsSpecified } from '../../../src/testing/virtual/tasks.js'

export interface LivedService {
  readonly cluster: VirtualCluster
  readonly store: MemoryStore
  readonly scheduler: VirtualScheduler
  readonly operatorApi: OperatorApi
  records(): Records
  view(): Promise<ClusterView>
  /** A scheduler on another store, in a place of its own. */
  schedulerOn(store: MemoryStore): VirtualScheduler
  /** Calls that the master took since then. */
  callsSince(from: number): string[]
}

export const isComplete = (scheduler: VirtualScheduler): boolean =>
  scheduler.status()?.plans.every((plan) => plan.status === 'COMPLETE') === true &&
  scheduler.status()?.instances.every((instance) => instance.ready && instance.owner === 'none') === true

export const viewOf = async (api: OperatorApi): Promise<ClusterView> => ({
  frameworks: await api.frameworks(),
  agents: await api.agents(),
  tasks: await api.tasks(),
  executors: await api.executors(),
  operations: await api.operations(),
})

/** Ids of the second scheduler must not meet those of the first. */
const laterIds = () => {
  const ids = createCountingIds()
  return { uuid: (kind: Parameters<typeof ids.uuid>[0]) => ids.uuid(kind).replace(/^.{4}/, 'beef') }
}

export function startService(spec: ServiceSpec, agents = 4): LivedService {
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(agents), behave: behaveAsSpecified(spec) })
  const store = createMemoryStore()
  const operatorApi = createVirtualOperatorApi((request) => cluster.request(request))
  const on = (own: MemoryStore, place: string, ids: ReturnType<typeof laterIds>): VirtualScheduler =>
    createVirtualScheduler({ cluster, storeOf: directStore(own, () => cluster.nowMs), ids, place })
  return {
    cluster,
    store,
    scheduler: on(store, 'a', createCountingIds()),
    operatorApi,
    records: () => parseRecords(store.dump()),
    view: () => viewOf(operatorApi),
    schedulerOn: (own) => on(own, 'b', laterIds()),
    callsSince: (from) => cluster.log.slice(from).flatMap((entry) => (entry.type === 'callTaken' ? [entry.call.type] : [])),
  }
}

/** Deployed, at rest, and its scheduler stopped. */
export async function deployedService(spec: ServiceSpec, agents = 4): Promise<LivedService> {
  const service = startService(spec, agents)
  await service.scheduler.start(spec)
  if (!(await service.cluster.run(() => isComplete(service.scheduler), 3_600_000))) throw new Error('it does not deploy')
  await service.cluster.advance(5_000)
  await service.scheduler.stop()
  await service.cluster.advance(1_000)
  return service
}

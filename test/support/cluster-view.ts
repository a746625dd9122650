/** Views of a cluster for tests: empty but for what a test names. */
import { agentId, frameworkId, taskId } from '../../src/ids.js'
import { labelNames } from '../../src/offer-evaluator/labels.js'
import type { Labels, Resource } from '../../src/offer-evaluator/resources.js'
import type { AgentView, ClusterView, FrameworkView, KnownTask } from '../../src/scheduler/cluster-view.js'

export const clusterView = (parts: Partial<ClusterView> = {}): ClusterView => ({
  frameworks: [],
  agents: { registered: [], recovered: [], unreachable: 0 },
  tasks: [],
  executors: [],
  operations: [],
  ...parts,
})

export const framework = (parts: Partial<FrameworkView> = {}): FrameworkView => ({
  id: frameworkId('f-0001'),
  name: 'store',
  roles: ['store-role'],
  user: 'root',
  principal: 'store-principal',
  state: 'disconnected',
  ...parts,
})

export const agent = (resources: readonly Resource[] = [], parts: Partial<AgentView> = {}): AgentView => ({
  id: agentId('S1'),
  hostname: 'agent-1',
  address: '10.0.0.1',
  isActive: true,
  resources,
  ...parts,
})

export const serviceLabels = (more: Readonly<Record<string, string>> = {}, service = 'store'): Labels =>
  Object.entries({ [labelNames.service]: service, ...more }).map(([key, value]) => ({ key, value }))

export const reserved = (resourceId: string, service = 'store', role = 'store-role'): Resource => ({
  kind: 'scalar',
  name: 'cpus',
  amount: 1_000,
  reservations: [
    { type: 'DYNAMIC', role, principal: 'p', labels: serviceLabels({ [labelNames.resource]: resourceId }, service) },
  ],
})

export const knownTask = (parts: Partial<KnownTask> = {}): KnownTask => ({
  id: taskId('db-0-server__1'),
  name: 'db-0-server',
  frameworkId: frameworkId('f-0001'),
  agentId: agentId('S1'),
  state: 'RUNNING',
  list: 'known',
  labels: serviceLabels(),
  resources: [],
  statuses: [],
  ...parts,
})

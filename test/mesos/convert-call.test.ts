import { describe, expect, test } from 'vitest'
import {
  agentId,
  executorId,
  frameworkId,
  offerId,
  operationId,
  persistenceId,
  podInstanceName,
  taskId,
  taskName,
} from '../../src/ids.js'
import { toCall, toSubscribe } from '../../src/mesos/convert-call.js'
import { toOperation } from '../../src/mesos/convert-operation.js'
import type { Operation, TaskInfo } from '../../src/offer-evaluator/operations.js'
import type { Resource } from '../../src/offer-evaluator/resources.js'
import type { Ack, MesosCall } from '../../src/scheduler/output.js'
import { frameworkInfo } from './support/driven.js'

const framework = { frameworkId: frameworkId('m1-0000'), role: 'db' }
const reservations = [
  { type: 'DYNAMIC' as const, role: 'db', principal: 'example-db-principal', labels: [{ key: 'instance', value: 'db-0' }] },
]
const scalar = (name: string, amount: number): Resource => ({ kind: 'scalar', name, amount, reservations })
const volume: Resource = {
  ...scalar('disk', 10_240_000),
  volume: { persistenceId: persistenceId('v1'), principal: 'example-db-principal', containerPath: 'data' },
}
const wireReservations = [
  {
    type: 'DYNAMIC',
    role: 'db',
    principal: 'example-db-principal',
    labels: { labels: [{ key: 'instance', value: 'db-0' }] },
  },
]
const wireScalar = (name: string, value: number) => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  allocation_info: { role: 'db' },
  reservations: wireReservations,
})
const wireVolume = {
  ...wireScalar('disk', 10_240),
  disk: {
    persistence: { id: 'v1', principal: 'example-db-principal' },
    volume: { mode: 'RW', container_path: 'data' },
  },
}

const task = (changes: Partial<TaskInfo> = {}): TaskInfo => ({
  taskId: taskId('db-0-server__1'),
  name: taskName(podInstanceName('db', 0), 'server'),
  agentId: agentId('m1-S0'),
  resources: [scalar('cpus', 1_000)],
  command: 'exec ./server',
  env: [{ name: 'PORT0', value: '31000' }],
  uris: [{ uri: 'file:///opt/server.tar.gz', extract: true, executable: false, cache: true }],
  killGraceMs: 30_000,
  labels: [{ key: 'stateward.service', value: 'db' }],
  parentVolumes: [],
  ports: [],
  ...changes,
})
const executor = { executorId: executorId('db-0__1'), resources: [scalar('cpus', 100), volume], labels: [] }
const launch = (changes: Partial<TaskInfo> = {}) => {
  const operation = toOperation({ type: 'launchGroup', executor, tasks: [task(changes)] }, framework)
  if (operation.type !== 'LAUNCH_GROUP') throw new Error('not a launch')
  return operation.launch_group
}

describe('operations (mesos-v1.md 2.4)', () => {
  test.each<[Operation, unknown]>([
    [
      { type: 'reserve', id: operationId('op-1'), resources: [scalar('cpus', 1_100)] },
      { type: 'RESERVE', id: { value: 'op-1' }, reserve: { resources: [wireScalar('cpus', 1.1)] } },
    ],
    [
      { type: 'create', id: operationId('op-2'), volumes: [volume] },
      { type: 'CREATE', id: { value: 'op-2' }, create: { volumes: [wireVolume] } },
    ],
  ])('%j', (operation, expected) => {
    expect(toOperation(operation, framework)).toEqual(expected)
  })

  test('a launch has no id, and its default executor names the framework', () => {
    const operation = toOperation({ type: 'launchGroup', executor, tasks: [task()] }, framework)
    expect(operation).not.toHaveProperty('id')
    expect(launch().executor).toEqual({
      type: 'DEFAULT',
      executor_id: { value: 'db-0__1' },
      framework_id: { value: 'm1-0000' },
      resources: [wireScalar('cpus', 0.1), wireVolume],
      labels: { labels: [] },
    })
  })

  test('a plain task', () => {
    expect(launch().task_group.tasks?.[0]).toEqual({
      name: 'db-0-server',
      task_id: { value: 'db-0-server__1' },
      agent_id: { value: 'm1-S0' },
      resources: [wireScalar('cpus', 1)],
      command: {
        shell: true,
        value: 'exec ./server',
        uris: [{ value: 'file:///opt/server.tar.gz', extract: true, executable: false, cache: true }],
        environment: { variables: [{ name: 'PORT0', type: 'VALUE', value: '31000' }] },
      },
      kill_policy: { grace_period: { nanoseconds: 30_000_000_000 } },
      labels: { labels: [{ key: 'stateward.service', value: 'db' }] },
    })
  })

  test('volumes of the executor are shown through the parent sandbox', () => {
    expect(launch({ parentVolumes: ['data'] }).task_group.tasks?.[0]?.container).toEqual({
      type: 'MESOS',
      volumes: [
        { mode: 'RW', container_path: 'data', source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'data' } } },
      ],
    })
  })

  test('a check names its type and is in seconds', () => {
    const check = { command: './ready.sh', delayMs: 0, intervalMs: 2_500, timeoutMs: 10_000 }
    expect(launch({ check }).task_group.tasks?.[0]?.check).toEqual({
      type: 'COMMAND',
      command: { command: { shell: true, value: './ready.sh' } },
      delay_seconds: 0,
      interval_seconds: 2.5,
      timeout_seconds: 10,
    })
  })

  test('only advertised ports are made known', () => {
    const hidden = { name: 'jmx', number: 31_001, advertise: false }
    const shown = { name: 'client', number: 31_000, advertise: true }
    expect(launch({ ports: [hidden] }).task_group.tasks?.[0]).not.toHaveProperty('discovery')
    expect(launch({ ports: [hidden, shown] }).task_group.tasks?.[0]?.discovery).toEqual({
      visibility: 'CLUSTER',
      name: 'db-0-server',
      ports: { ports: [{ number: 31_000, name: 'client', protocol: 'tcp' }] },
    })
  })
})

describe('calls', () => {
  const agent = agentId('m1-S0')
  const id = { value: 'm1-0000' }
  test.each<[MesosCall | Ack, unknown]>([
    [
      { type: 'accept', offerIds: [offerId('o1'), offerId('o2')], agentId: agent, operations: [], refuseSeconds: 5 },
      {
        type: 'ACCEPT',
        accept: { offer_ids: [{ value: 'o1' }, { value: 'o2' }], operations: [], filters: { refuse_seconds: 5 } },
      },
    ],
    [
      { type: 'decline', offerIds: [offerId('o1')], refuseSeconds: 0.5 },
      { type: 'DECLINE', decline: { offer_ids: [{ value: 'o1' }], filters: { refuse_seconds: 0.5 } } },
    ],
    [
      { type: 'kill', taskId: taskId('t'), agentId: agent },
      { type: 'KILL', kill: { task_id: { value: 't' }, agent_id: { value: 'm1-S0' } } },
    ],
    [
      { type: 'kill', taskId: taskId('t'), agentId: agent, graceMs: 5_000 },
      {
        type: 'KILL',
        kill: {
          task_id: { value: 't' },
          agent_id: { value: 'm1-S0' },
          kill_policy: { grace_period: { nanoseconds: 5_000_000_000 } },
        },
      },
    ],
    [
      { type: 'reconcileTasks', tasks: [] },
      { type: 'RECONCILE', reconcile: { tasks: [] } },
    ],
    [
      { type: 'reconcileTasks', tasks: [{ taskId: taskId('t'), agentId: agent }] },
      { type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: 't' }, agent_id: { value: 'm1-S0' } }] } },
    ],
    [
      { type: 'reconcileOperations', operations: [{ operationId: operationId('op'), agentId: agent }] },
      {
        type: 'RECONCILE_OPERATIONS',
        reconcile_operations: { operations: [{ operation_id: { value: 'op' }, agent_id: { value: 'm1-S0' } }] },
      },
    ],
    [{ type: 'suppress' }, { type: 'SUPPRESS', suppress: { roles: ['db'] } }],
    [{ type: 'revive' }, { type: 'REVIVE', revive: { roles: ['db'] } }],
    [
      { type: 'acknowledgeTask', taskId: taskId('t'), agentId: agent, uuid: 'pSnvfownSa6AQdanUPbmRQ==' },
      {
        type: 'ACKNOWLEDGE',
        acknowledge: { agent_id: { value: 'm1-S0' }, task_id: { value: 't' }, uuid: 'pSnvfownSa6AQdanUPbmRQ==' },
      },
    ],
    [
      { type: 'acknowledgeOperation', operationId: operationId('op'), agentId: agent, uuid: '0xqLeXktR+q//iwsKpqESQ==' },
      {
        type: 'ACKNOWLEDGE_OPERATION_STATUS',
        acknowledge_operation_status: {
          agent_id: { value: 'm1-S0' },
          operation_id: { value: 'op' },
          uuid: '0xqLeXktR+q//iwsKpqESQ==',
        },
      },
    ],
  ])('%j', (call, expected) => {
    expect(toCall(call, framework)).toEqual({ framework_id: id, ...(expected as object) })
  })
})

describe('SUBSCRIBE', () => {
  test('the first one has no id anywhere, and what can never change later is as designed', () => {
    expect(toSubscribe({ ...frameworkInfo(), webUiUrl: 'http://s:8080', hostname: 's' })).toEqual({
      type: 'SUBSCRIBE',
      subscribe: {
        framework_info: {
          user: 'nobody',
          name: 'kafka',
          roles: ['kafka-role'],
          principal: 'kafka-principal',
          hostname: 's',
          webui_url: 'http://s:8080',
          failover_timeout: 1_209_600,
          checkpoint: true,
          capabilities: [
            { type: 'MULTI_ROLE' },
            { type: 'PARTITION_AWARE' },
            { type: 'RESERVATION_REFINEMENT' },
            { type: 'TASK_KILLING_STATE' },
            { type: 'REGION_AWARE' },
          ],
          offer_filters: {
            'kafka-role': {
              min_allocatable_resources: {
                quantities: [
                  { quantities: { cpus: { value: 0.01 } } },
                  { quantities: { mem: { value: 32 } } },
                  { quantities: { disk: { value: 1 } } },
                ],
              },
            },
          },
        },
      },
    })
  })

  test('a later one gives the id in both places (B17)', () => {
    const call = toSubscribe(frameworkInfo(frameworkId('m1-0000')))
    expect(call.framework_id).toEqual({ value: 'm1-0000' })
    expect(call.subscribe.framework_info.id).toEqual({ value: 'm1-0000' })
  })
})

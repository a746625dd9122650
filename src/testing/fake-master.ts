/**
 * The other side of a scheduler under test: an in-memory offer stream. It keeps what was reserved, created and launched, and
 * sends only what a test asks for, apart from two things a master always does: it confirms operations and answers
 * reconciliation. It is a fake for unit tests of plans; it knows no clock, no network and no capacity but what a test states.
 */
import {
  agentId,
  frameworkId,
  offerId,
  streamId,
  type AgentId,
  type FrameworkId,
  type OfferId,
  type StreamId,
  type TaskId,
} from '../ids.js'
import { labelNames } from '../offer-evaluator/labels.js'
import type { ExecutorInfo, Operation, TaskInfo } from '../offer-evaluator/operations.js'
import type { Offer, Resource } from '../offer-evaluator/resources.js'
import type { FrameworkInfo, MesosDriver, MesosDriverHandlers } from '../ports/mesos-driver.js'
import type { DriverEvent, TaskStatus } from '../scheduler/events.js'
import type { Ack, MesosCall, Outgoing } from '../scheduler/output.js'
import type { MesosTaskState } from '../state-machine/task-events.js'
import { subtractRanges, toMilli } from '../units.js'

/** An agent of the fake cluster. */
export interface FakeAgent {
  readonly id: AgentId
  readonly hostname: string
  readonly address: string
  readonly zone: string
  readonly cpus: number
  readonly memoryMb: number
  readonly diskMb: number
  readonly ports: { readonly begin: number; readonly end: number }
}

/** A launch as the scheduler sent it. */
export interface FakeLaunch {
  readonly task: TaskInfo
  readonly executor: ExecutorInfo
}

/** What a test turns against the scheduler. */
export interface FakeTroubles {
  /** Every RESERVE and CREATE is answered ERROR with this text, and what was to be launched on them with it. */
  refusal: string | undefined
  /** Whether reconciliation is answered. */
  answersReconciliation: boolean
}

export interface FakeMaster {
  readonly troubles: FakeTroubles
  readonly agents: readonly FakeAgent[]
  /** Every call and acknowledgement since the beginning, in order. */
  readonly calls: readonly (MesosCall | Ack)[]
  /** All launches, oldest first. */
  readonly launches: readonly FakeLaunch[]
  /** The last state told of each task id. */
  readonly states: ReadonlyMap<TaskId, MesosTaskState>
  readonly newDriver: () => MesosDriver
  send(event: DriverEvent): void
  /** Unreserved rest of an agent, and with `reservedFor` what is reserved there for that pod instance. */
  buildOffer(agent: FakeAgent, reservedFor?: string): Offer
  /** By the name of the task, or by its id. */
  lastLaunch(task: string): FakeLaunch | undefined
  /** Tells a state as the master does in answer to reconciliation. */
  tellState(launch: FakeLaunch, state: MesosTaskState): void
  sendStatus(launch: FakeLaunch, state: MesosTaskState, extra?: Partial<TaskStatus>): void
  /** Breaks the stream and subscribes the scheduler anew. */
  reconnect(): Promise<void>
}

interface Books {
  readonly calls: (MesosCall | Ack)[]
  readonly launches: FakeLaunch[]
  readonly states: Map<TaskId, MesosTaskState>
  readonly reserved: Map<AgentId, Resource[]>
  stream: StreamId | undefined
  handlers: MesosDriverHandlers | undefined
  framework: FrameworkId | undefined
  counter: number
}

/** `role` is the service's: offers are made to it. */
export function createFakeMaster(agents: readonly FakeAgent[], role: string, now: () => number): FakeMaster {
  const books: Books = {
    calls: [],
    launches: [],
    states: new Map(),
    reserved: new Map(),
    stream: undefined,
    handlers: undefined,
    framework: undefined,
    counter: 0,
  }
  const troubles: FakeTroubles = { refusal: undefined, answersReconciliation: true }
  const next = (kind: string): string => `${kind}-${++books.counter}`
  const send = (event: DriverEvent): void => books.handlers?.onEvent(event)

  const subscribe = async (): Promise<void> => {
    const info: FrameworkInfo | undefined = await books.handlers?.beforeSubscribe()
    books.framework = info?.id ?? books.framework ?? frameworkId(next('framework'))
    books.stream = streamId(next('stream'))
    send({ type: 'subscribed', streamId: books.stream, frameworkId: books.framework, atMs: now() })
  }

  const newDriver = (): MesosDriver => ({
    start(handlers) {
      books.handlers = handlers
      subscribe().catch(handlers.onTrouble)
    },
    send(outgoing: Outgoing) {
      if (outgoing.streamId === books.stream) receive(outgoing.call)
      return Promise.resolve()
    },
    close() {
      books.stream = undefined
      books.handlers = undefined
      return Promise.resolve()
    },
  })

  const receive = (call: MesosCall | Ack): void => {
    books.calls.push(call)
    if (call.type === 'accept') for (const operation of call.operations) applyOperation(call.agentId, operation)
    else if (!troubles.answersReconciliation) return
    else if (call.type === 'reconcileTasks') answerTasks(call.tasks)
    else if (call.type === 'reconcileOperations') {
      for (const { operationId, agentId: agent } of call.operations) {
        send({ type: 'operationStatusReceived', status: { operationId, agentId: agent, state: 'UNKNOWN' }, atMs: now() })
      }
    }
  }

  const applyOperation = (agent: AgentId, operation: Operation): void => {
    if (troubles.refusal !== undefined) return refuse(operation, troubles.refusal)
    if (operation.type === 'launchGroup') {
      for (const task of operation.tasks) {
        books.launches.push({ task, executor: operation.executor })
        books.states.set(task.taskId, 'STAGING')
      }
      return
    }
    const present = books.reserved.get(agent) ?? []
    books.reserved.set(
      agent,
      operation.type === 'reserve' ? [...present, ...operation.resources] : withVolumes(present, operation),
    )
    const status = { operationId: operation.id, agentId: agent, state: 'FINISHED', uuid: next('uuid') } as const
    send({ type: 'operationStatusReceived', status, atMs: now() })
  }

  /** As a master does: no uuid, and nothing of the call comes about. */
  const refuse = (operation: Operation, message: string): void => {
    if (operation.type === 'launchGroup') {
      for (const { taskId } of operation.tasks) {
        send({ type: 'taskStatusReceived', status: { taskId, state: 'ERROR', source: 'MASTER', message }, atMs: now() })
      }
    } else send({ type: 'operationStatusReceived', status: { operationId: operation.id, state: 'ERROR', message }, atMs: now() })
  }

  const answerTasks = (asked: readonly { readonly taskId: TaskId; readonly agentId: AgentId }[]): void => {
    for (const { taskId, agentId: agent } of asked) {
      const state = books.states.get(taskId) ?? 'GONE'
      send({
        type: 'taskStatusReceived',
        status: { taskId, agentId: agent, state, source: 'MASTER', reason: 'RECONCILIATION' },
        atMs: now(),
      })
    }
  }

  const sendStatus = ({ task, executor }: FakeLaunch, state: MesosTaskState, extra: Partial<TaskStatus> = {}): void => {
    books.states.set(task.taskId, state)
    const status: TaskStatus = {
      taskId: task.taskId,
      state,
      agentId: task.agentId,
      executorId: executor.executorId,
      source: 'EXECUTOR',
      uuid: next('uuid'),
      ...extra,
    }
    send({ type: 'taskStatusReceived', status, atMs: now() })
  }

  return {
    agents,
    calls: books.calls,
    launches: books.launches,
    states: books.states,
    troubles,
    newDriver,
    send,
    sendStatus,
    tellState({ task }, state) {
      books.states.set(task.taskId, state)
      answerTasks([task])
    },
    buildOffer: (agent, reservedFor) =>
      buildOffer(agent, role, books.reserved.get(agent.id) ?? [], reservedFor, offerId(next('offer'))),
    lastLaunch: (task) => books.launches.findLast(({ task: { name, taskId } }) => name === task || taskId === task),
    async reconnect() {
      send({ type: 'disconnected', reason: 'the test asked for it', atMs: now() })
      await subscribe()
    },
  }
}

/** A created volume takes the place of the plain disk it was made of. */
function withVolumes(present: readonly Resource[], operation: Operation): Resource[] {
  if (operation.type !== 'create') return [...present]
  return operation.volumes.reduce<Resource[]>(
    (left, volume) => {
      const id = labelOf(volume)
      return [...left.filter((resource) => labelOf(resource) !== id), volume]
    },
    [...present],
  )
}

const labelOf = (resource: Resource): string | undefined => {
  const owner = resource.reservations.at(-1)
  return owner?.labels?.find(({ key }) => key === labelNames.resource)?.value
}

function buildOffer(
  agent: FakeAgent,
  role: string,
  reserved: readonly Resource[],
  reservedFor: string | undefined,
  id: OfferId,
): Offer {
  const usedScalar = (name: string) =>
    reserved.reduce((sum, resource) => (resource.kind === 'scalar' && resource.name === name ? sum + resource.amount : sum), 0)
  const usedPorts = reserved.flatMap((resource) => (resource.kind === 'ranges' ? resource.ranges : []))
  const scalar = (name: string, total: number): Resource => ({
    kind: 'scalar',
    name,
    amount: toMilli(total) - usedScalar(name),
    reservations: [],
  })
  const mine = reserved.filter(
    (resource) => reservedFor !== undefined && labelOf(resource)?.startsWith(`${reservedFor}.`) === true,
  )
  return {
    id,
    agentId: agent.id,
    hostname: agent.hostname,
    address: agent.address,
    role,
    zone: agent.zone,
    attributes: [],
    executorIds: [],
    resources: [
      scalar('cpus', agent.cpus),
      scalar('mem', agent.memoryMb),
      scalar('disk', agent.diskMb),
      { kind: 'ranges', name: 'ports', ranges: subtractRanges([agent.ports], usedPorts), reservations: [] },
      ...mine,
    ],
  }
}

/** Agents `agent-1` ... on 10.0.0.1 ..., each in a zone of its own, large enough for any test. */
export const buildFakeAgents = (count: number): FakeAgent[] =>
  Array.from({ length: count }, (_, index) => ({
    id: agentId(`agent-${index + 1}`),
    hostname: `agent-${index + 1}`,
    address: `10.0.0.${index + 1}`,
    zone: `zone-${index + 1}`,
    cpus: 64,
    memoryMb: 262_144,
    diskMb: 10_485_760,
    ports: { begin: 21_000, end: 29_999 },
  }))

/**
 * The test kit: a service of yours over an in-memory offer stream, with the same core and the same shell as in production. A
 * test sends offers and statuses, restarts the scheduler, and expects launches, kills and statuses of plans. Time stands still
 * until `advance`.
 */
import { SdkError } from '../errors.js'
import { instanceOfTask, taskId, type OfferId, type PodInstanceName, type TaskName } from '../ids.js'
import type { Logger } from '../ports/logger.js'
import type { TaskStatus } from '../scheduler/events.js'
import type { Ack, MesosCall } from '../scheduler/output.js'
import type { ServiceStatus } from '../scheduler/report.js'
import { hookNames } from '../scheduler/questions.js'
import { renderPlans } from '../scheduler/render-plans.js'
import { roleOf } from '../spec/check-update.js'
import type { ServiceSpec } from '../spec/schema.js'
import { checkSupported } from '../spec/unsupported.js'
import type { MesosTaskState } from '../state-machine/task-events.js'
import type { TaskRecord } from '../state-machine/task-record.js'
import { createSchedulerProcess, type SchedulerProcess } from '../runtime/scheduler-process.js'
import type { Hook, Hooks } from '../runtime/hooks.js'
import { createMemoryStore } from '../store/memory-store.js'
import { buildFakeAgents, createFakeMaster, type FakeAgent, type FakeLaunch, type FakeMaster } from './fake-master.js'
import { expectLaunch, expectPlan, type LaunchExpectation, type PlanExpectation } from './expectations.js'
import { createCountingIds } from './seeded-ids.js'

export interface TestServiceOptions {
  /** Agents of the fake cluster. @defaultValue as many as the largest pod has instances, `agent-1` ... */
  readonly agents?: number
  /** Hooks of the spec. @defaultValue every gate is open, every order is as given */
  readonly hooks?: Hooks
}

/** One pod instance as the status shows it. */
export interface TestPod {
  readonly agent: string
  readonly ready: boolean
  /** Persistence id of the volume at a path. */
  volume(path: string): string
}

export interface TestService {
  /** Offers everything unreserved, of one agent or of all. */
  offer(agent?: string): Promise<void>
  /** Offers what is reserved for a pod instance on its agent, with the agent's unreserved rest. */
  offerReserved(pod: string): Promise<void>
  /**
   * Reports a state of the last launch of a task, or of the launch with that task id, as its executor would; waits until the
   * scheduler has decided on it.
   */
  status(task: string, state: MesosTaskState | `TASK_${MesosTaskState}`): Promise<void>
  /** The same as the master does in answer to reconciliation: without a uuid. */
  reported(task: string, state: MesosTaskState | `TASK_${MesosTaskState}`): Promise<void>
  /** Reports a task that no launch of this test has made, as after a restore of an older backup of the store. */
  strange(taskId: string, state: `TASK_${MesosTaskState}`): Promise<void>
  /** Reports STARTING, RUNNING and a readiness check that succeeded. */
  ready(task: string): Promise<void>
  /** Reports a result of the health check; what kills a task is told by `status`. */
  health(task: string, isHealthy: boolean): Promise<void>
  /** Reports STARTING, RUNNING and FINISHED. */
  finished(task: string): Promise<void>
  /** Lets time pass for back-off and gates. */
  advance(ms: number): Promise<void>
  /** Kills the scheduler and starts another on the same store, with another spec if one is given. */
  restartScheduler(spec?: ServiceSpec): Promise<void>
  /** Breaks the stream; the scheduler subscribes again. */
  reconnect(): Promise<void>
  /** Acts as a whole cluster until nothing moves any more: offers, starts, finishes, kills. */
  settle(): Promise<void>
  pause(plan: 'deploy' | 'update'): Promise<void>
  resume(plan: 'deploy' | 'update'): Promise<void>
  /** Asks for the restart of a pod's tasks in place, as an operator would. */
  restart(pod: string): Promise<void>
  /** Has the pod's tasks idle in place, or work again. */
  pausePod(pod: string): Promise<void>
  resumePod(pod: string): Promise<void>
  /** From now on every reservation is refused with this text; with `undefined` no more. */
  refuseReservations(message: string | undefined): void
  /** Whether the master answers what it is asked about tasks and operations. @defaultValue true */
  answerReconciliation(answers: boolean): void
  pod(name: string): TestPod
  state(): ServiceStatus
  /** The last statuses and decisions of a task, oldest first, as stored. */
  history(task: string): TaskRecord['history']
  /** Task ids of all launches of a task, oldest first. */
  launches(task: string): string[]
  /** Calls and acknowledgements since the beginning or since the last `forgetCalls`. */
  calls(): readonly (MesosCall | Ack)[]
  forgetCalls(): void
  expectLaunched(task: string): LaunchExpectation
  expectNotLaunched(task: string): void
  expectKilled(task: string): void
  expectNotKilled(task: string): void
  /** Every offer sent so far was declined or used. */
  expectNoOffersHeld(): void
  expectPlan(plan: 'deploy' | 'update' | 'recovery'): PlanExpectation
  stop(): Promise<void>
}

/** Rounds that `settle` and `deployed` give the service to come to rest. */
const maxRounds = 500
/** A step of the virtual clock while settling: longer than a pause between two attempts of a gate. */
const settleStepMs = 2_500

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Begins a test of a service: `started` has no offers yet, `deployed` has a complete deploy plan. */
export function testService(
  spec: ServiceSpec,
  options: TestServiceOptions = {},
): { started(): Promise<TestService>; deployed(): Promise<TestService> } {
  checkSupported(spec)
  return {
    started: () => start(spec, options),
    async deployed() {
      const service = await start(spec, options)
      await service.settle()
      service.expectPlan('deploy').toBe('COMPLETE')
      service.forgetCalls()
      return service
    },
  }
}

async function start(firstSpec: ServiceSpec, options: TestServiceOptions): Promise<TestService> {
  let nowMs = 1_000_000
  let from = 0
  let spec = firstSpec
  let process_: SchedulerProcess
  let ended: Promise<void>
  /** Why the scheduler under test has stopped by itself. */
  let fault: unknown
  const largest = Math.max(...Object.values(firstSpec.pods).map((pod) => pod.count))
  const master = createFakeMaster(buildFakeAgents(options.agents ?? largest), roleOf(firstSpec), () => nowMs)
  const store = createMemoryStore()
  const ids = createCountingIds()
  const offered = new Set<OfferId>()

  const launchScheduler = async (): Promise<void> => {
    process_ = createSchedulerProcess({
      spec,
      hooks: { ...openHooks(spec), ...options.hooks },
      store,
      newDriver: master.newDriver,
      env: { ids },
      // Time passes only by `advance`, which tells it by an event of its own.
      clock: { now: () => nowMs, after: () => () => undefined },
      logger: quiet,
      holder: 'test',
      lockWaitMs: 0,
      tickMs: 1_000,
      failoverTimeoutMs: 86_400_000,
      webUiUrl: () => undefined,
      onStep: () => undefined,
    })
    fault = undefined
    ended = process_.run().catch((error: unknown) => void (fault = error))
    await quiesce()
  }

  const state = (): ServiceStatus => {
    const status = process_.status()
    if (status === undefined) throw noState(fault)
    return status
  }

  const sendOffers = async (agents: readonly FakeAgent[], reservedFor?: string): Promise<void> => {
    const offers = agents.map((agent) => master.buildOffer(agent, reservedFor))
    for (const offer of offers) offered.add(offer.id)
    master.send({ type: 'offersReceived', offers, atMs: nowMs })
    await quiesce()
  }

  const agentsNamed = (name: string | undefined): readonly FakeAgent[] => {
    const found = master.agents.filter((agent) => name === undefined || agent.hostname === name)
    if (found.length > 0) return found
    throw new SdkError(
      'ERR_EXPECTATION',
      `there is no agent ${name}; there are: ${master.agents.map((agent) => agent.hostname).join(', ')}`,
    )
  }

  const launchOf = (task: string): FakeLaunch => {
    const launch = master.lastLaunch(task)
    if (launch !== undefined) return launch
    const known = [...new Set(master.launches.map((each) => each.task.name))].join(', ')
    throw new SdkError(
      'ERR_EXPECTATION',
      `task ${task} was never launched; launched so far: ${known || 'none'}\n${renderPlans(state())}`,
    )
  }

  const report = async (task: string, ...states: readonly [MesosTaskState, (number | undefined)?][]): Promise<void> => {
    for (const [taskState, checkExitCode] of states) {
      master.sendStatus(launchOf(task), taskState, checkExitCode === undefined ? {} : { checkExitCode })
      await quiesce()
    }
  }

  const kit: TestService = {
    offer: (agent) => sendOffers(agentsNamed(agent)),
    offerReserved: (pod) => sendOffers(agentsNamed(kit.pod(pod).agent), pod),
    status: (task, taskState) => report(task, [taskState.replace(/^TASK_/, '') as MesosTaskState]),
    async reported(task, taskState) {
      master.tellState(launchOf(task), taskState.replace(/^TASK_/, '') as MesosTaskState)
      await quiesce()
    },
    async strange(id, taskState) {
      const [agent] = master.agents
      const status: TaskStatus = {
        taskId: taskId(id),
        state: taskState.replace(/^TASK_/, '') as MesosTaskState,
        source: 'MASTER',
        reason: 'RECONCILIATION',
        ...(agent === undefined ? {} : { agentId: agent.id }),
      }
      master.send({ type: 'taskStatusReceived', status, atMs: nowMs })
      await quiesce()
    },
    ready: (task) => report(task, ['STARTING'], ['RUNNING'], ['RUNNING', 0]),
    async health(task, isHealthy) {
      master.sendStatus(launchOf(task), 'RUNNING', { healthy: isHealthy, reason: 'TASK_HEALTH_CHECK_STATUS_UPDATED' })
      await quiesce()
    },
    finished: (task) => report(task, ['STARTING'], ['RUNNING'], ['FINISHED']),
    async advance(ms) {
      nowMs += ms
      master.send({ type: 'offersReceived', offers: [], atMs: nowMs })
      await quiesce()
    },
    async restartScheduler(next) {
      spec = next ?? spec
      process_.stop()
      store.expireSession()
      await ended
      await launchScheduler()
    },
    async reconnect() {
      await master.reconnect()
      await quiesce()
    },
    settle: () => settle(kit, master),
    pause: (plan) => process_.command({ type: 'pausePlan', plan }).then(quiesce),
    resume: (plan) => process_.command({ type: 'resumePlan', plan }).then(quiesce),
    restart: (pod) => process_.command({ type: 'restartPod', instance: pod as PodInstanceName }).then(quiesce),
    pausePod: (pod) => process_.command({ type: 'pausePod', instance: pod as PodInstanceName }).then(quiesce),
    resumePod: (pod) => process_.command({ type: 'resumePod', instance: pod as PodInstanceName }).then(quiesce),
    refuseReservations: (message) => void (master.troubles.refusal = message),
    answerReconciliation: (answers) => void (master.troubles.answersReconciliation = answers),
    pod: (name) => podOf(state(), name),
    state,
    history: (task) => {
      const pod = instanceOfTask(task as TaskName) ?? task
      return process_.history(pod)?.tasks.find(({ name }) => name === task)?.history ?? []
    },
    launches: (task) => master.launches.filter((launch) => launch.task.name === task).map((launch) => launch.task.taskId),
    calls: () => master.calls.slice(from),
    forgetCalls: () => void (from = master.calls.length),
    expectLaunched: (task) => expectLaunch(kit, master, task),
    expectNotLaunched(task) {
      const launched = launchedIn(kit.calls()).includes(task)
      if (launched) throw new SdkError('ERR_EXPECTATION', `expected no launch of ${task}, and it was launched`)
    },
    expectKilled(task) {
      if (!killedIn(kit.calls(), master).includes(task))
        throw new SdkError(
          'ERR_EXPECTATION',
          `expected a kill of ${task}; killed were: ${killedIn(kit.calls(), master).join(', ') || 'none'}`,
        )
    },
    expectNotKilled(task) {
      if (killedIn(kit.calls(), master).includes(task))
        throw new SdkError('ERR_EXPECTATION', `expected no kill of ${task}, and it was killed`)
    },
    expectNoOffersHeld() {
      const answered = new Set(
        master.calls.flatMap((call) => (call.type === 'accept' || call.type === 'decline' ? call.offerIds : [])),
      )
      const held = [...offered].filter((id) => !answered.has(id))
      if (held.length > 0)
        throw new SdkError('ERR_EXPECTATION', `expected every offer to be answered; still held: ${held.join(', ')}`)
    },
    expectPlan: (plan) => expectPlan(state(), plan),
    async stop() {
      process_.stop()
      await ended
    },
  }
  await launchScheduler()
  return kit
}

const noState = (fault: unknown): SdkError =>
  new SdkError(
    'ERR_EXPECTATION',
    `the scheduler under test has stopped: ${fault instanceof Error ? fault.message : 'the test stopped it'}`,
    { cause: fault },
  )

/** Everything in memory settles in microtasks; a few turns let jobs and their answers through as well. */
async function quiesce(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Every gate is open, every order is as given. */
function openHooks(spec: ServiceSpec): Hooks {
  const open: Hook = (context) => Promise.resolve(context.candidates ?? { open: true, reason: 'open in this test' })
  return Object.fromEntries(hookNames(spec).map((name) => [name, open]))
}

/** Plays a whole cluster: what was launched runs, what was killed dies, what is reserved is offered. */
async function settle(kit: TestService, master: FakeMaster): Promise<void> {
  let quietRounds = 0
  for (let round = 0; round < maxRounds && quietRounds < 3; round++) {
    const before = master.calls.length
    let acted = false
    for (const launch of [...master.launches]) acted = (await playTask(kit, master, launch)) || acted
    for (const { name, agentId } of kit.state().instances) if (agentId !== undefined) await kit.offerReserved(name)
    await kit.offer()
    await kit.advance(settleStepMs)
    const moved = master.calls.slice(before).some((call) => call.type === 'accept' || call.type === 'kill')
    const busy = kit.state().plans.some((plan) => plan.status === 'IN_PROGRESS' || plan.status === 'DELAYED')
    quietRounds = acted || moved || busy ? 0 : quietRounds + 1
  }
}

async function playTask(kit: TestService, master: FakeMaster, launch: FakeLaunch): Promise<boolean> {
  const { taskId, name } = launch.task
  const last = master.states.get(taskId)
  const wasKilled = master.calls.some((call) => call.type === 'kill' && call.taskId === taskId)
  const isOver =
    last === 'FINISHED' || last === 'FAILED' || last === 'KILLED' || last === 'GONE' || last === 'DROPPED' || last === 'ERROR'
  if (isOver) return false
  if (wasKilled) {
    master.sendStatus(launch, 'KILLED')
    await quiesce()
    return true
  }
  const goal = kit
    .state()
    .instances.flatMap((instance) => instance.tasks)
    .find((task) => task.name === name)?.goal
  if (last === 'RUNNING' && goal === 'RUNNING') return false
  if (goal === 'RUNNING') await kit.ready(name)
  else await kit.finished(name)
  return true
}

const launchedIn = (calls: readonly (MesosCall | Ack)[]): string[] =>
  calls.flatMap((call) =>
    call.type === 'accept'
      ? call.operations.flatMap((operation) =>
          operation.type === 'launchGroup' ? operation.tasks.map((task) => task.name as string) : [],
        )
      : [],
  )

const killedIn = (calls: readonly (MesosCall | Ack)[], master: FakeMaster): string[] =>
  calls.flatMap((call) =>
    call.type === 'kill'
      ? master.launches.filter((launch) => launch.task.taskId === call.taskId).map((launch) => launch.task.name as string)
      : [],
  )

function podOf(status: ServiceStatus, name: string): TestPod {
  const instance = status.instances.find((each) => each.name === name)
  if (instance === undefined)
    throw new SdkError(
      'ERR_EXPECTATION',
      `there is no pod ${name}; there are: ${status.instances.map((each) => each.name).join(', ')}`,
    )
  return {
    agent: instance.hostname ?? 'none: it has no footprint',
    ready: instance.ready,
    volume(path) {
      const found = instance.volumes.find((volume) => volume.path === path)
      if (found === undefined)
        throw new SdkError(
          'ERR_EXPECTATION',
          `pod ${name} has no volume at ${path}; it has: ${instance.volumes.map((each) => each.path).join(', ') || 'none'}`,
        )
      return found.persistenceId
    },
  }
}

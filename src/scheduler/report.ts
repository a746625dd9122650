/**
 * What an operator sees: plans, phases and steps with their statuses and, for everything that does not move, the reason and
 * what would end the wait. A pure function of the state, worked out when somebody asks.
 */
import { closedGate } from '../plan/gates.js'
import { deployPhases, updatePhases, type PlannedPhase } from '../plan/phases.js'
import type { RunRecord } from '../plan/run-record.js'
import { isOrderOf } from '../plan/question.js'
import { parentStatus, type ParentStatus, type StepStatus } from '../plan/status.js'
import type { PodInstanceName } from '../ids.js'
import type { Refusal } from '../spec/check-update.js'
import { mayBeAlive, type TaskRecord } from '../state-machine/task-record.js'
import { isReady, matchesTarget, nameOf, needOf, podTasks, targetOf, tasksOf } from './assess.js'
import { gatesAfter } from './blocks.js'
import { updateCandidates } from './claims.js'
import { updateBlocker } from './disruption-budget.js'
import { advertisedAddress, missingPeers } from './environment.js'
import type { Block, InstanceRecord } from './records/instance-record.js'
import type { State, Target } from './state.js'

export interface StepView {
  readonly name: string
  readonly status: StepStatus
  readonly agent?: string
  /** Since the block on the instance began; until it ended, if it has. */
  readonly elapsedMs?: number
  /** Why it does not move, and what would end the wait. */
  readonly reason?: string
  /** Gates asked for this step, with their last answers. */
  readonly gates?: readonly {
    readonly gate: string
    readonly open: boolean
    readonly attempts: number
    readonly reason?: string
  }[]
}

export interface PhaseView {
  readonly name: string
  readonly strategy: 'serial' | 'parallel'
  readonly status: ParentStatus
  readonly steps: readonly StepView[]
}

export interface PlanView {
  readonly name: 'deploy' | 'update' | 'recovery'
  readonly status: ParentStatus
  readonly paused: boolean
  readonly targetId?: string
  readonly startedAtMs?: number
  readonly elapsedMs?: number
  readonly reason?: string
  readonly phases: readonly PhaseView[]
}

export interface TaskView {
  readonly name: string
  readonly goal: string
  readonly state: string
  readonly ready: boolean
  /** Its health check failed when it was last heard of. */
  readonly unhealthy?: true
  readonly failures: number
  readonly taskId?: string
  readonly lastState?: string
  readonly message?: string
}

export interface InstanceView {
  readonly name: string
  readonly pod: string
  readonly index: number
  readonly owner: string
  readonly targetId: string
  /** Its first deployment is done. */
  readonly deployed: boolean
  readonly ready: boolean
  /** An operator has paused it: its tasks idle, or will. */
  readonly paused: boolean
  readonly generation: number
  readonly agentId?: string
  readonly hostname?: string
  readonly address?: string
  readonly zone?: string
  readonly executorId?: string
  readonly ports: Readonly<Record<string, number>>
  readonly volumes: readonly { readonly path: string; readonly persistenceId: string; readonly state: string }[]
  readonly tasks: readonly TaskView[]
}

export interface ServiceStatus {
  readonly service: string
  readonly frameworkId?: string
  readonly targetId: string
  readonly connected: boolean
  readonly values: Readonly<Record<string, string>>
  /** A spec that was handed in and refused, with the reasons; the old target stays in force. */
  readonly rejected?: { readonly targetId: string; readonly reasons: readonly Refusal[] }
  readonly plans: readonly PlanView[]
  readonly instances: readonly InstanceView[]
  /** Tasks of this framework that the store does not know; they are left alone. */
  readonly unknownTasks: readonly { readonly taskId: string; readonly state: string; readonly agentId?: string }[]
}

/** What happened to the tasks of a pod instance, for the post-mortem of a crash loop. */
export interface PodHistory {
  readonly name: string
  readonly tasks: readonly { readonly name: string; readonly history: TaskRecord['history'] }[]
}

export function podHistory({ records }: State, name: string): PodHistory | undefined {
  const instance = records.instances.get(name as PodInstanceName)
  if (instance === undefined) return undefined
  const tasks = tasksOf(records, instance).map((task) => ({ name: task.name, history: task.record.history }))
  return { name, tasks }
}

/** The whole status; `undefined` before a target was ever accepted. */
export function serviceStatus(state: State): ServiceStatus | undefined {
  const { records, volatile } = state
  const { service } = records
  const target = service === undefined ? undefined : records.targets.get(service.targetId)
  if (service === undefined || target === undefined) return undefined
  return {
    service: service.name,
    ...(service.frameworkId === undefined ? {} : { frameworkId: service.frameworkId }),
    targetId: service.targetId,
    connected: volatile.stream !== undefined,
    values: service.values,
    ...(volatile.rejected === undefined ? {} : { rejected: volatile.rejected }),
    plans: plans(state, target),
    instances: [...records.instances.values()].sort(byName).map((instance) => instanceView(state, instance)),
    unknownTasks: [...volatile.strangers.values()].map(({ taskId, state: taskState, agentId }) => ({
      taskId,
      state: taskState,
      ...(agentId === undefined ? {} : { agentId }),
    })),
  }
}

const byName = (a: InstanceRecord, b: InstanceRecord) => (a.pod === b.pod ? a.index - b.index : a.pod < b.pod ? -1 : 1)

function plans(state: State, target: Target): PlanView[] {
  const { runs } = state.records
  const result: PlanView[] = []
  const deploy = runs.get('deploy')
  if (deploy !== undefined) result.push(runView(state, target, deploy, deployPhases(target.spec)))
  const update = runs.get('update')
  if (update !== undefined) result.push(runView(state, target, update, updatePhases(target.spec)))
  const recovery = recoveryView(state)
  if (recovery !== undefined) result.push(recovery)
  return result
}

function runView(state: State, target: Target, run: RunRecord, planned: readonly PlannedPhase[]): PlanView {
  const reason = runReason(state, target, run)
  const held = reason !== undefined
  const phases = planned.map((phase): PhaseView => {
    const all = phase.instances.flatMap((name) => state.records.instances.get(name) ?? [])
    // What was added after this run is no part of it.
    const instances = run.completedAtMs === undefined ? all : all.filter((instance) => instance.deployed)
    const steps = instances.map((instance) => runStep(state, target, run, instance))
    return {
      name: phase.name,
      strategy: phase.strategy,
      status: parentStatus(
        steps.map((step) => step.status),
        held,
      ),
      steps,
    }
  })
  const isOver = run.completedAtMs !== undefined
  const status = isOver
    ? 'COMPLETE'
    : parentStatus(
        phases.map((phase) => phase.status),
        held,
      )
  return {
    name: run.plan,
    status: status === 'COMPLETE' && !isOver ? (held ? 'WAITING' : 'IN_PROGRESS') : status,
    paused: run.paused,
    targetId: run.targetId,
    startedAtMs: run.startedAtMs,
    elapsedMs: (run.completedAtMs ?? state.volatile.nowMs) - run.startedAtMs,
    ...(reason === undefined ? {} : { reason }),
    phases,
  }
}

/** Why the plan as a whole does not go on: a pause, something that is not settled, or one of its own questions. */
function runReason(state: State, target: Target, run: RunRecord): string | undefined {
  if (run.completedAtMs !== undefined) return undefined
  if (run.paused) return `paused; POST /v1/plans/${run.plan}/resume goes on`
  const asked = Object.entries(run.questions).find(([key, { state: answer }]) => answer !== 'positive' && key !== 'order')
  const held = asked === undefined ? undefined : questionReason(target, run, asked[0], state.volatile.nowMs)
  if (held !== undefined || run.plan === 'deploy') return held
  const left = updateCandidates(state.records, target)
  if (left.length === 0 || left.flat().some((instance) => instance.owner === 'update')) return undefined
  const blocker = updateBlocker(state)
  return blocker === undefined ? orderReason(run, left[0] ?? []) : `waits to take the next instance: ${blocker}`
}

/** Words for an open gate of the run itself. */
function questionReason(target: Target, run: RunRecord, key: string, nowMs: number): string | undefined {
  const prefix = key.slice(0, key.lastIndexOf('/') + 1)
  const plan = target.spec[run.plan]
  if (prefix === 'preFlight/') return `pre-flight: ${closedGate(plan.preFlight, prefix, run.questions, nowMs)}`
  if (prefix === 'postFlight/') return `post-flight: ${closedGate(plan.postFlight, prefix, run.questions, nowMs)}`
  const name = prefix.slice('before/'.length, -1)
  return `before ${name}: ${closedGate(target.spec.update.beforeEach, prefix, run.questions, nowMs)}`
}

/** The order hook is asked again and again while its answer is of no use. */
function orderReason(run: RunRecord, candidates: readonly InstanceRecord[]): string | undefined {
  const order = run.questions['order']
  if (order?.state === 'negative') return `order hook: ${order.reason ?? 'no usable answer'}`
  const names = candidates.map(nameOf)
  if (order?.state !== 'positive' || isOrderOf(order.order ?? [], names)) return undefined
  return `order hook: it must answer the candidates, each once (${names.join(', ')}), and answered ${(order.order ?? []).join(', ') || 'nothing'}`
}

function runStep(state: State, target: Target, run: RunRecord, instance: InstanceRecord): StepView {
  if (instance.owner === run.plan) return blockStep(state, instance, run.plan)
  const isDone = run.plan === 'deploy' ? instance.deployed : instance.deployed && matchesTarget(state.records, instance, target)
  const { block } = instance
  const refused = isDone ? undefined : state.volatile.outcomes.get(nameOf(instance))?.reason
  const own =
    block?.runId === run.runId && block.endedAtMs !== undefined ? { elapsedMs: block.endedAtMs - block.startedAtMs } : {}
  return {
    name: stepName(instance),
    status: isDone || run.completedAtMs !== undefined ? 'COMPLETE' : 'PENDING',
    ...agentOf(instance),
    ...own,
    ...(refused === undefined ? {} : { reason: refused }),
  }
}

const stepName = (instance: InstanceRecord): string => `${instance.pod}-${instance.index}`
const agentOf = (instance: InstanceRecord) => (instance.footprint === undefined ? {} : { agent: instance.footprint.hostname })

/** A step that its plan has in hand. */
function blockStep(state: State, instance: InstanceRecord, plan: Block['plan']): StepView {
  const { block } = instance
  const { status, reason } = progress(state, instance, plan)
  const gates = Object.entries(block?.gates ?? {}).map(([gate, question]) => ({
    gate,
    open: question.state === 'positive',
    attempts: question.attempt,
    ...(question.reason === undefined ? {} : { reason: question.reason }),
  }))
  return {
    name: stepName(instance),
    status,
    ...agentOf(instance),
    ...(block === undefined ? {} : { elapsedMs: state.volatile.nowMs - block.startedAtMs }),
    ...(reason === undefined ? {} : { reason }),
    ...(gates.length === 0 ? {} : { gates }),
  }
}

function progress(
  state: State,
  instance: InstanceRecord,
  plan: Block['plan'],
): { status: StepStatus; reason?: string | undefined } {
  const { records, volatile } = state
  const target = targetOf(records, instance)
  if (target !== undefined && isReady(records, instance)) {
    return {
      status: 'STARTED',
      reason: closedGate(gatesAfter(target, instance, plan), '', instance.block?.gates ?? {}, volatile.nowMs),
    }
  }
  const need = needOf(state, instance)
  const offered = volatile.outcomes.get(nameOf(instance))?.reason
  switch (need.kind) {
    case 'delayed':
      return { status: 'DELAYED', reason: need.reason }
    case 'kill':
      return { status: 'STARTING', reason: need.reason }
    case 'place':
    case 'complete':
    case 'launch': {
      const missing = target === undefined ? [] : missingPeers(records, target.spec, instance)
      const waits = missing.length === 0 ? undefined : `waits for the addresses of ${missing.join(', ')}`
      return {
        status: 'PREPARED',
        reason: waits ?? offered ?? (volatile.stream === undefined ? 'no connection to the master' : 'waits for offers'),
      }
    }
    case 'wait':
      return { status: waitStatus(state, instance), reason: need.reason }
    case 'nothing':
      return { status: 'STARTED' }
  }
}

function waitStatus(state: State, instance: InstanceRecord): StepStatus {
  const target = targetOf(state.records, instance)
  const tasks = target === undefined ? [] : podTasks(state.records, instance, target).map((task) => task.record)
  if (tasks.some((task) => task.value === 'unreachable')) return 'WAITING'
  if (tasks.some((task) => task.value === 'running')) return 'STARTED'
  return tasks.some(mayBeAlive) ? 'STARTING' : 'PREPARED'
}

/** Recovery is no stored run: its steps are the instances that it owns, and those it owned last. */
function recoveryView(state: State): PlanView | undefined {
  const touched = [...state.records.instances.values()].filter((instance) => instance.block?.plan === 'recovery').sort(byName)
  if (touched.length === 0) return undefined
  const steps = touched.map((instance): StepView => {
    const { block } = instance
    if (instance.owner === 'recovery') return blockStep(state, instance, 'recovery')
    const elapsed = block?.endedAtMs === undefined ? {} : { elapsedMs: block.endedAtMs - block.startedAtMs }
    return { name: stepName(instance), status: 'COMPLETE', ...agentOf(instance), ...elapsed }
  })
  const status = parentStatus(
    steps.map((step) => step.status),
    false,
  )
  return { name: 'recovery', status, paused: false, phases: [{ name: 'recovery', strategy: 'parallel', status, steps }] }
}

function instanceView(state: State, instance: InstanceRecord): InstanceView {
  const { records } = state
  const target = targetOf(records, instance)
  const { footprint } = instance
  return {
    name: stepName(instance),
    pod: instance.pod,
    index: instance.index,
    owner: instance.owner,
    targetId: instance.targetId,
    deployed: instance.deployed,
    ready: isReady(records, instance),
    paused: instance.paused === true,
    generation: instance.generation,
    ...(footprint === undefined || target === undefined
      ? {}
      : {
          agentId: footprint.agentId,
          hostname: footprint.hostname,
          address: advertisedAddress(target.spec, footprint),
          ...(footprint.zone === undefined ? {} : { zone: footprint.zone }),
        }),
    ...(instance.executor === undefined ? {} : { executorId: instance.executor.executorId }),
    ports: Object.assign({}, ...Object.values(footprint?.ports ?? {})) as Record<string, number>,
    volumes: (footprint?.entries ?? []).flatMap(({ volume, state: entryState }) =>
      volume === undefined ? [] : [{ path: volume.containerPath, persistenceId: volume.persistenceId, state: entryState }],
    ),
    tasks:
      target === undefined
        ? []
        : podTasks(records, instance, target).map(({ name, spec, record }) => taskView(name, spec.goal, record)),
  }
}

function taskView(
  name: string,
  goal: string,
  { value, context, backoff }: ReturnType<typeof podTasks>[number]['record'],
): TaskView {
  return {
    name,
    goal,
    state: value,
    ready: context.ready,
    ...(context.unhealthy === undefined ? {} : { unhealthy: context.unhealthy }),
    failures: backoff.failures,
    ...(context.launch === undefined ? {} : { taskId: context.launch.taskId }),
    ...(context.lastState === undefined ? {} : { lastState: context.lastState }),
    ...(context.lastMessage === undefined ? {} : { message: context.lastMessage }),
  }
}

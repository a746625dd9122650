/**
 * Offers meet needs: what they prove is noted in the ledgers, then each instance that needs resources gets its footprint, the
 * rest of it, or a launch in place. Everything decided on one agent goes out in one ACCEPT over all its offers. Pure.
 */
import { executorId, operationId, taskId, taskIdSeparator, type AgentId, type PodInstanceName } from '../ids.js'
import type { PodPlace } from '../offer-evaluator/containers.js'
import { completeFootprint, placeFootprint, type NextOperationId } from '../offer-evaluator/evaluate.js'
import { isComplete, type Footprint, type LedgerEntry } from '../offer-evaluator/footprint-record.js'
import { confirmFromOffer, findInPlace } from '../offer-evaluator/in-place.js'
import { labelNames } from '../offer-evaluator/labels.js'
import { buildExecutor, buildLaunches, type TaskLaunchPlan } from '../offer-evaluator/launch.js'
import type { ExecutorInfo, Operation } from '../offer-evaluator/operations.js'
import { buildPools, type AgentPool } from '../offer-evaluator/pool.js'
import { buildRequirement, isExecutorPart, isTaskPart } from '../offer-evaluator/requirement.js'
import { usableResource, type Ownership } from '../offer-evaluator/reserve.js'
import type { Labels, Resource } from '../offer-evaluator/resources.js'
import type { Placed } from '../offer-evaluator/stages/stage.js'
import { principalOf, roleOf } from '../spec/check-update.js'
import type { ResolvedTask } from '../spec/task-resources.js'
import { mayBeAlive } from '../state-machine/task-record.js'
import { advanceTask } from '../state-machine/transition.js'
import { isPausable, needOf, permitToReplace, podTasks, targetOf, tasksOf, type Need, type PodTask } from './assess.js'
import type { Draft } from './draft.js'
import type { Env } from './env.js'
import { buildEnvironment, missingPeers, placedAhead } from './environment.js'
import { openInstances } from './open-instances.js'
import type { InstanceRecord, Owner } from './records/instance-record.js'
import type { Records, Target } from './state.js'

/** Operations chosen so far, by agent. */
type Chosen = Map<AgentId, Operation[]>

interface Round {
  readonly draft: Draft
  readonly env: Env
  readonly pools: Map<AgentId, AgentPool>
  readonly chosen: Chosen
  /** Instances by host, of each pod and of all; counted when something is to be placed, and kept up with what this round places. */
  readonly placed: () => PlacedCounts
}

interface PlacedCounts {
  readonly byPod: Map<string, Map<string, number>>
  readonly all: Map<string, number>
}

/** One instance's turn. */
interface Turn {
  readonly name: PodInstanceName
  readonly instance: InstanceRecord
  readonly target: Target
  readonly need: Need
}

export function useOffers(draft: Draft, env: Env): void {
  const { service, targets } = draft.records
  const target = service === undefined ? undefined : targets.get(service.targetId)
  if (draft.volatile.stream === undefined || target === undefined) return
  const offers = [...draft.volatile.offers.values()].map((held) => held.offer)
  const round: Round = {
    draft,
    env,
    pools: buildPools(offers, roleOf(target.spec), target.spec.name),
    chosen: new Map(),
    placed: lazily(() => countPlaced(draft)),
  }
  if (round.pools.size > 0) noteEvidence(round)
  for (const turn of turns(draft, target)) take(round, turn)
  accept(round)
}

/**
 * What is on offer under our labels may be used, whatever became of the feedback. Its operation stays open: the master books
 * what it passes on to an agent, and takes it back when the agent turns out never to have heard of it.
 */
function noteEvidence({ draft, pools }: Round): void {
  for (const [name, instance] of openInstances(draft)) {
    const pool = instance.footprint === undefined ? undefined : pools.get(instance.footprint.agentId)
    if (instance.footprint === undefined || pool === undefined || isComplete(instance.footprint)) continue
    const confirmed = confirmFromOffer(instance.footprint, pool)
    if (confirmed === instance.footprint) continue
    draft.setInstance(name, { ...instance, footprint: confirmed })
    draft.decided()
  }
}

/** Recovery goes before everything else. */
const priority: Record<Owner, number> = { recovery: 0, update: 1, deploy: 2, none: 3 }

/** Instances that need offers, the most urgent first. */
function turns(draft: Draft, serviceTarget: Target): Turn[] {
  const isAhead = placedAhead(draft, serviceTarget)
  const result: Turn[] = []
  for (const [name, instance] of openInstances(draft)) {
    const target = targetOf(draft.records, instance)
    if (target === undefined) continue
    if (instance.owner === 'none' && !isAhead(instance)) continue
    const need = needOf(draft, instance)
    if (need.kind === 'place' || need.kind === 'complete' || need.kind === 'launch') result.push({ name, instance, target, need })
  }
  return result.sort((a, b) => priority[a.instance.owner] - priority[b.instance.owner] || (a.name < b.name ? -1 : 1))
}

function take(round: Round, turn: Turn): void {
  const refusal = turn.need.kind === 'place' ? place(round, turn) : inPlace(round, turn)
  const { draft } = round
  const known = draft.volatile.outcomes.get(turn.name)
  if (refusal === undefined) {
    if (known !== undefined) draft.edit('outcomes').delete(turn.name)
  } else if (known?.reason !== refusal) {
    draft.edit('outcomes').set(turn.name, { reason: refusal, sinceMs: known?.sinceMs ?? draft.volatile.nowMs })
  }
}

const ownershipOf = (turn: Turn, generation: number): Ownership => ({
  role: roleOf(turn.target.spec),
  principal: principalOf(turn.target.spec),
  service: turn.target.spec.name,
  instance: turn.name,
  generation,
})

const newOperationId =
  (env: Env, name: PodInstanceName): NextOperationId =>
  () =>
    operationId(`${name}${taskIdSeparator}${env.ids.uuid('operation')}`)

/** A new footprint, with the first launch in the same ACCEPT unless the instance has to wait for peers. */
function place(round: Round, turn: Turn): string | undefined {
  const { draft, env } = round
  const { instance, name, target } = turn
  const pod = target.spec.pods[instance.pod]
  if (pod === undefined) return `the spec has no pod ${instance.pod}`
  const generation = instance.generation + 1
  const nonce = env.ids.uuid('persistence').slice(0, 8)
  const requirement = buildRequirement(name, instance.pod, pod, generation, nonce)
  const owner = ownershipOf(turn, generation)
  const { byPod, all } = round.placed()
  const placed: Placed = { samePod: byPod.get(instance.pod) ?? new Map<string, number>(), all }
  const result = placeFootprint(requirement, round.pools, placed, owner, newOperationId(env, name), {
    hash: target.pods[instance.pod]?.footprint ?? '',
    atMs: draft.volatile.nowMs,
  })
  if (!result.ok) return result.reason
  round.pools.set(result.footprint.agentId, result.pool)
  countOne(round.placed(), instance.pod, result.footprint.hostname)
  const next: InstanceRecord = { ...instance, generation, footprint: result.footprint }
  draft.setInstance(name, next)
  add(round.chosen, result.footprint.agentId, result.operations)
  const mayLaunch = instance.owner !== 'none' && missingPeers(draft.records, target.spec, next).length === 0
  const need = mayLaunch ? launchNeed(draft, next) : undefined
  if (need !== undefined)
    launch(round, { ...turn, instance: next, need }, result.footprint, need, (entry) => usableResource(entry, owner))
  draft.decided()
  return undefined
}

/** What would be launched if the footprint, being reserved in the same ACCEPT, were complete. */
function launchNeed(draft: Draft, instance: InstanceRecord): (Need & { kind: 'launch' }) | undefined {
  const footprint = instance.footprint as Footprint
  const settled = footprint.entries.map((entry): LedgerEntry => ({
    ...entry,
    state: entry.volume === undefined ? 'reserved' : 'created',
  }))
  const need = needOf(draft, { ...instance, footprint: { ...footprint, entries: settled, operations: [] } })
  return need.kind === 'launch' ? need : undefined
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}

function countPlaced(draft: Draft): PlacedCounts {
  const counts: PlacedCounts = { byPod: new Map(), all: new Map() }
  for (const { footprint, pod } of draft.records.instances.values())
    if (footprint !== undefined) countOne(counts, pod, footprint.hostname)
  return counts
}

function countOne({ byPod, all }: PlacedCounts, pod: string, host: string): void {
  const same = byPod.get(pod) ?? new Map<string, number>()
  byPod.set(pod, same.set(host, (same.get(host) ?? 0) + 1))
  all.set(host, (all.get(host) ?? 0) + 1)
}

/** On the footprint's own agent: what is missing of it, or a launch. */
function inPlace(round: Round, turn: Turn): string | undefined {
  const { draft, env } = round
  const { instance, name, need } = turn
  const { footprint } = instance
  if (footprint === undefined) return undefined
  const pool = round.pools.get(footprint.agentId)
  const orPermit = `, or until ${permitToReplace(instance)}`
  if (pool === undefined)
    return `agent ${footprint.hostname} offers nothing at the moment; it waits until its reserved resources are offered${orPermit}`
  const owner = ownershipOf(turn, instance.generation)
  if (need.kind === 'complete') {
    const result = completeFootprint(footprint, pool, owner, newOperationId(env, name), draft.volatile.nowMs)
    if (!result.ok) return `${result.reason}; it waits for more${orPermit}`
    round.pools.set(footprint.agentId, result.pool)
    draft.setInstance(name, { ...instance, footprint: result.footprint })
    draft.decided()
    add(round.chosen, footprint.agentId, result.operations)
    return undefined
  }
  if (need.kind !== 'launch') return undefined
  const missing = missingPeers(draft.records, turn.target.spec, instance)
  if (missing.length > 0) return `waits for the addresses of ${missing.join(', ')}`
  const entries = footprint.entries.filter(
    (entry) => need.tasks.some((task) => isTaskPart(entry, task)) || (!need.joinExecutor && isExecutorPart(entry)),
  )
  const found = findInPlace(footprint, entries, pool, owner)
  if (!found.ok) return `${found.reason}; it waits for them${orPermit}`
  round.pools.set(footprint.agentId, found.pool)
  launch(round, turn, footprint, need, (entry) => found.resources.get(entry) ?? usableResource(entry, owner))
  draft.decided()
  return undefined
}

function launch(
  { draft, env, chosen }: Round,
  { name, instance, target }: Turn,
  footprint: Footprint,
  need: Need & { kind: 'launch' },
  resourceOf: (entry: LedgerEntry) => Resource,
): void {
  const pod = target.spec.pods[instance.pod]
  if (pod === undefined) return
  const place: PodPlace = { service: target.spec.name, pod: instance.pod, index: instance.index, spec: pod }
  const labels = podLabels(draft, target, instance)
  const executor: ExecutorInfo =
    need.joinExecutor && instance.executor !== undefined
      ? instance.executor
      : buildExecutor(executorId(`${name}${taskIdSeparator}${env.ids.uuid('executor')}`), place, footprint, resourceOf, labels)
  const tasks = podTasks(draft.records, instance, target).filter((task) => need.tasks.includes(task.task))
  const isIdle = (task: PodTask): boolean => instance.paused === true && isPausable(task)
  const plans = tasks.map((task): TaskLaunchPlan => {
    const id = taskId(`${task.name}${taskIdSeparator}${env.ids.uuid('task')}`)
    const { record } = advanceTask(task.record, {
      type: 'launchDecided',
      launch: {
        taskId: id,
        agentId: footprint.agentId,
        executorId: executor.executorId,
        targetId: target.id,
        taskHash: task.hash,
        podHash: target.pods[instance.pod]?.pod ?? '',
        generation: instance.generation,
        ...(isIdle(task) ? { idle: true } : {}),
        // Never before a restart that was asked for, even if this scheduler's clock is behind: it would be restarted for ever.
        atMs: Math.max(draft.volatile.nowMs, instance.restartBeforeMs ?? 0),
      },
    })
    draft.setTask(task.name, record)
    const env_ = buildEnvironment({ records: draft.records, spec: target.spec, instance, footprint, task })
    const own = [...labels, { key: labelNames.task, value: task.hash }, ...progressLabels(draft, target, instance)]
    return {
      task: task.task,
      name: task.name,
      taskId: id,
      spec: isIdle(task) ? idling(task.spec) : task.spec,
      env: env_,
      labels: isIdle(task) ? [...own, { key: labelNames.idle, value: 'true' }] : own,
    }
  })
  draft.setInstance(name, {
    ...instance,
    launched: true,
    executor: { ...executor, resources: [...executor.resources], labels: [...executor.labels] },
  })
  add(chosen, footprint.agentId, buildLaunches(executor, place, footprint, plans, resourceOf))
}

/** Ends by SIGTERM at once, like any shell that waits for its child. */
const idleCommand = "trap 'exit 0' TERM; while :; do sleep 3600 & wait; done"

/** The same resources, volumes, ports and environment, with a command that does nothing, and nothing to check. */
function idling({ readinessCheck: _unused, healthCheck: _neither, ...spec }: ResolvedTask): ResolvedTask {
  return { ...spec, command: idleCommand }
}

/** From these a lost store is rebuilt; generated values are no secrets. */
function podLabels(draft: Draft, target: Target, instance: InstanceRecord): Labels {
  const values = Object.entries(draft.records.service?.values ?? {}).map(([name, value]) => ({
    key: `${labelNames.value}${name}`,
    value,
  }))
  return [
    { key: labelNames.service, value: target.spec.name },
    { key: labelNames.instance, value: `${instance.pod}-${instance.index}` },
    { key: labelNames.generation, value: String(instance.generation) },
    { key: labelNames.spec, value: target.id },
    { key: labelNames.pod, value: target.pods[instance.pod]?.pod ?? '' },
    ...values,
  ]
}

/** What no task that runs can tell of itself: how far its instance had come when it was launched. */
function progressLabels(draft: Draft, target: Target, instance: InstanceRecord): Labels {
  const finished = podTasks(draft.records, instance, target).flatMap(({ task, record }) =>
    record.context.finishedHash === undefined
      ? []
      : [{ key: `${labelNames.finished}${task}`, value: record.context.finishedHash }],
  )
  return instance.deployed ? [{ key: labelNames.deployed, value: 'true' }, ...finished] : finished
}

function add(chosen: Chosen, agent: AgentId, operations: readonly Operation[]): void {
  chosen.set(agent, [...(chosen.get(agent) ?? []), ...operations])
}

/** After what the filter of an ACCEPT leaves over is offered again; short, because other instances may be waiting for it. */
const acceptRefuseSeconds = 1

function accept({ draft, chosen, pools }: Round): void {
  for (const [agentId, operations] of chosen) {
    const offerIds = pools.get(agentId)?.offerIds ?? []
    draft.call({ type: 'accept', agentId, offerIds, operations, refuseSeconds: acceptRefuseSeconds })
    for (const id of offerIds) draft.edit('offers').delete(id)
  }
}

/** Something runs on the footprint, or has run there. */
function mayHoldData(records: Records, instance: InstanceRecord): boolean {
  const { generation, initialisedGeneration } = instance
  if (targetOf(records, instance) === undefined || initialisedGeneration === generation) return true
  return tasksOf(records, instance).some(
    ({ record }) => mayBeAlive(record) || (record.context.seen && record.context.launch?.generation === generation),
  )
}

/** A footprint of which nothing came about is given up, so that the instance may be placed anywhere. */
export function dropEmptyFootprints(draft: Draft): void {
  for (const [name, instance] of openInstances(draft)) {
    const { footprint } = instance
    if (footprint === undefined || footprint.operations.length > 0) continue
    if (footprint.entries.some((entry) => entry.state !== 'wanted')) continue
    if (mayHoldData(draft.records, instance)) continue
    const { footprint: _nothing, executor: _unused, ...rest } = instance
    // One that never came up has met no peer yet, and waits for them again.
    draft.setInstance(name, { ...rest, launched: instance.joined })
    draft.decided()
  }
}

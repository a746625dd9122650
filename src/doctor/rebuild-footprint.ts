/** The ledger of one instance, out of what is reserved for it, held against what its spec asks for. Pure. */
import { persistenceId, type OperationId, type PodInstanceName } from '../ids.js'
import { portEntry } from '../offer-evaluator/evaluate.js'
import { isComplete, type Footprint, type LedgerEntry, type OpenOperation } from '../offer-evaluator/footprint-record.js'
import { resourceLabel } from '../offer-evaluator/labels.js'
import { buildRequirement, type PortWish, type Requirement } from '../offer-evaluator/requirement.js'
import type { Resource } from '../offer-evaluator/resources.js'
import type { KnownOperation, KnownTask } from '../scheduler/cluster-view.js'
import type { Target } from '../scheduler/state.js'
import { principalOf, roleOf } from '../spec/check-update.js'
import { taskIdSeparator } from '../ids.js'
import { containsRanges, fromMilli } from '../units.js'
import { isOn, livingOf, type Conclusions, type Evidence } from './evidence.js'
import { describeAgent, type FoundFootprint } from './reservations.js'

/** The one that the instance is on: the newest, which tasks that live must confirm. Others are left alone. */
export function chooseFootprint(
  evidence: Evidence,
  name: PodInstanceName,
  tasks: readonly KnownTask[],
  { reasons, says }: Conclusions,
): FoundFootprint | undefined {
  const all = evidence.footprints.filter(({ instance }) => instance === name)
  const living = livingOf(tasks)
  const newest = Math.max(...all.map(({ generation }) => generation))
  const candidates = all.filter(({ generation }) => generation === newest)
  const confirmed = candidates.filter((candidate) => living.some((task) => isOn(evidence, task, candidate)))
  const chosen = candidates.length === 1 ? candidates[0] : confirmed.length === 1 ? confirmed[0] : undefined
  if (chosen === undefined) {
    if (candidates.length > 1) {
      const where = candidates.map(({ agent, nonce }) => `${describeAgent(agent)} (${nonce})`).join(' and ')
      reasons.push(`${name}: it has a footprint on ${where}, both of generation ${newest}; unreserve the one that is not needed`)
    }
    return undefined
  }
  const astray = living.filter((task) => !isOn(evidence, task, chosen))
  for (const { id, agentId } of astray)
    reasons.push(
      `${name}: task ${id} may live on agent ${agentId}, and its newest reservations are of generation ${newest} on ${describeAgent(chosen.agent)}; end the task, or unreserve what it is not on`,
    )
  for (const { agent, generation, reservations } of all.filter((other) => other !== chosen))
    says.push(
      `${name}: ${reservations.length} older resources of generation ${generation} on ${describeAgent(agent)} are left alone`,
    )
  return chosen
}

/** Undefined when what is reserved is not what the spec asks for, with the reasons; or when it cannot be completed. */
export function buildFootprint(
  evidence: Evidence,
  found: FoundFootprint,
  pod: string,
  target: Target,
  { reasons }: Conclusions,
): Footprint | undefined {
  const spec = target.spec.pods[pod]
  if (spec === undefined) return undefined
  const { agent, instance, generation, nonce } = found
  const requirement = buildRequirement(instance, pod, spec, generation, nonce)
  const ports = portsOf(found, requirement)
  const entries = [
    ...requirement.scalars,
    ...requirement.ports.flatMap(({ task, port }) => {
      const number = ports.get(`${task}/${port}`)
      return number === undefined ? [] : [portEntry(requirement, task, port, number)]
    }),
  ]
  const problems = [
    ...requirement.ports.flatMap((wish) => portProblems(wish, ports.get(`${wish.task}/${wish.port}`))),
    ...unexpected(found, entries),
    ...found.reservations.flatMap(({ resources }) => resources.flatMap((resource) => principalProblems(resource, target))),
    ...entries.flatMap((entry) => entryProblems(entry, resourcesOf(found, entry))),
  ]
  if (problems.length > 0) {
    reasons.push(`${instance} on ${describeAgent(agent)}: ${[...new Set(problems)].join('; ')}`)
    return undefined
  }
  const numbers: Record<string, Record<string, number>> = {}
  for (const [key, number] of ports) {
    const [task = '', port = ''] = key.split('/')
    numbers[task] = { ...numbers[task], [port]: number }
  }
  return {
    agentId: agent.id,
    hostname: agent.hostname,
    address: agent.address,
    ...(agent.region === undefined ? {} : { region: agent.region }),
    ...(agent.zone === undefined ? {} : { zone: agent.zone }),
    hash: target.pods[pod]?.footprint ?? '',
    placedAtMs: evidence.nowMs,
    ports: numbers,
    entries: entries.map((entry) => ({ ...entry, state: stateOf(entry, resourcesOf(found, entry)) })),
    operations: openOperations(evidence, found, target),
  }
}

/** Everything that the spec asks for is there: a launch fits. */
export const isUsable = (footprint: Footprint): boolean => isComplete(footprint) && footprint.operations.length === 0

const resourcesOf = ({ reservations }: FoundFootprint, { resourceId }: LedgerEntry): readonly Resource[] =>
  reservations.find((each) => each.resourceId === resourceId)?.resources ?? []

const stateOf = ({ volume }: LedgerEntry, found: readonly Resource[]): LedgerEntry['state'] => {
  if (found.length === 0) return 'wanted'
  const hasVolume = volume !== undefined && found.some((resource) => resource.volume?.persistenceId === volume.persistenceId)
  return hasVolume ? 'created' : 'reserved'
}

/** Port numbers by `task/port`: each port is reserved under an id that ends with its name. */
function portsOf({ reservations }: FoundFootprint, { ports, resourceId }: Requirement): Map<string, number> {
  const numbers = new Map<string, number>()
  for (const { task, port } of ports) {
    const id = resourceId(`task/${task}/ports/${port}`)
    for (const resource of reservations.find((each) => each.resourceId === id)?.resources ?? []) {
      const begin = resource.kind === 'ranges' ? resource.ranges[0]?.begin : undefined
      if (begin !== undefined) numbers.set(`${task}/${port}`, begin)
    }
  }
  return numbers
}

function portProblems({ task, port, number: wanted, ranges }: PortWish, found: number | undefined): string[] {
  if (found === undefined) return [`port ${port} of task ${task} is not reserved, so the footprint is incomplete`]
  if (wanted !== 0 && wanted !== found) return [`port ${port} of task ${task} is ${found}, and SPEC asks for ${wanted}`]
  if (ranges === undefined || containsRanges(ranges, [{ begin: found, end: found }])) return []
  return [`port ${port} of task ${task} is ${found}, which is in none of the ranges that SPEC allows`]
}

function unexpected({ reservations }: FoundFootprint, entries: readonly LedgerEntry[]): string[] {
  const known = new Set(entries.map(({ resourceId }) => resourceId))
  return reservations.flatMap(({ resourceId }) => (known.has(resourceId) ? [] : [`SPEC asks for no ${resourceId}`]))
}

function principalProblems({ reservations }: Resource, { spec }: Target): string[] {
  const principal = reservations.at(-1)?.principal
  return principal === principalOf(spec)
    ? []
    : [`it is reserved by principal ${principal ?? 'none'}, and SPEC has ${principalOf(spec)}`]
}

function entryProblems(entry: LedgerEntry, found: readonly Resource[]): string[] {
  if (found.length === 0) return []
  const volumes = found.flatMap(({ volume }) => volume ?? [])
  const foreign = volumes.filter(({ persistenceId: id }) => id !== (entry.volume?.persistenceId ?? persistenceId('')))
  const problems = foreign.map(
    ({ persistenceId: id }) => `${entry.part} holds volume ${id}, and SPEC asks for ${entry.volume?.persistenceId ?? 'none'}`,
  )
  if (entry.amount === undefined) return problems
  const amount = found.reduce((sum, resource) => sum + (resource.kind === 'scalar' ? resource.amount : 0), 0)
  if (amount === entry.amount) return problems
  return [
    ...problems,
    `${entry.part} has ${fromMilli(amount)} ${entry.name} reserved, and SPEC asks for ${fromMilli(entry.amount)}`,
  ]
}

/** Those that have not ended: their feedback will come, or be asked for. */
function openOperations({ operations, nowMs }: Evidence, { agent, instance }: FoundFootprint, { spec }: Target): OpenOperation[] {
  return operations.flatMap((operation): OpenOperation[] => {
    const type = operation.type === 'RESERVE' ? 'reserve' : operation.type === 'CREATE' ? 'create' : undefined
    if (type === undefined || !isOpen(operation) || operation.agentId !== agent.id) return []
    const { id } = operation
    const resource = operation.resources[0]
    const label = resource === undefined ? undefined : resourceLabel(resource, roleOf(spec), spec.name)
    return id === undefined || label === undefined || !isOf(id, instance)
      ? []
      : [{ id, type, sentAtMs: nowMs, resourceId: label }]
  })
}

const isOf = (id: OperationId, instance: PodInstanceName): boolean => id.split(taskIdSeparator)[0] === instance

const isOpen = ({ state }: KnownOperation): boolean =>
  state === undefined || state === 'PENDING' || state === 'UNREACHABLE' || state === 'RECOVERING'

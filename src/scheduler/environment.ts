/**
 * Values known only at launch: placeholders replaced from the footprint, the peers' footprints and the generated values. Pure.
 */
import { oncePerSpec } from '../plan/phases.js'
import { podInstanceName, type PodInstanceName } from '../ids.js'
import type { Footprint } from '../offer-evaluator/footprint-record.js'
import { findPlaceholders, replacePlaceholders, type Placeholder, type SimplePlaceholder } from '../spec/placeholders.js'
import type { PodSpec, ServiceSpec } from '../spec/schema.js'
import { nameOf, type PodTask } from './assess.js'
import { openInstances } from './open-instances.js'
import type { InstanceRecord } from './records/instance-record.js'
import type { Records, State, Target } from './state.js'

export interface LaunchContext {
  readonly records: Records
  readonly spec: ServiceSpec
  readonly instance: InstanceRecord
  readonly footprint: Footprint
  readonly task: PodTask
}

/** What peers are told to connect to. */
export const advertisedAddress = (spec: ServiceSpec, footprint: Footprint): string =>
  spec.advertise === 'hostname' ? footprint.hostname : footprint.address

/** Environment of a task in the order: spec's `env`, then the ports' keys. */
export function buildEnvironment(context: LaunchContext): { name: string; value: string }[] {
  const { task, footprint } = context
  const ports = footprint.ports[task.task] ?? {}
  return [
    ...Object.entries(task.spec.env).map(([name, text]) => ({
      name,
      value: replacePlaceholders(text, (placeholder) => resolve(placeholder, context, ports)),
    })),
    ...Object.entries(task.spec.ports).flatMap(([name, port]) =>
      port.envKey === undefined ? [] : [{ name: port.envKey, value: String(ports[name] ?? port.port) }],
    ),
  ]
}

function resolve(placeholder: Placeholder, context: LaunchContext, ports: Readonly<Record<string, number>>): string {
  switch (placeholder.kind) {
    case 'value':
      return context.records.service?.values[placeholder.name] ?? ''
    case 'port':
      return String(ports[placeholder.port] ?? '')
    case 'simple':
      return simpleValue(placeholder.name, context)
    case 'peers':
    case 'joined':
      return peerList(placeholder, context)
  }
}

function simpleValue(name: SimplePlaceholder, { spec, instance, footprint, task }: LaunchContext): string {
  const values: Record<SimplePlaceholder, string> = {
    'service.name': spec.name,
    'pod.type': instance.pod,
    'pod.name': nameOf(instance),
    'pod.index': String(instance.index),
    'pod.count': String(spec.pods[instance.pod]?.count ?? 0),
    'task.name': task.name,
    'agent.id': footprint.agentId,
    'agent.address': advertisedAddress(spec, footprint),
    'agent.hostname': footprint.hostname,
    'agent.region': footprint.region ?? '',
    'agent.zone': footprint.zone ?? '',
    'resources.cpus': String(task.spec.cpus),
    'resources.memoryMb': String(task.spec.memoryMb),
  }
  return values[name]
}

function peerList(placeholder: Placeholder & { kind: 'peers' | 'joined' }, context: LaunchContext): string {
  const known = instancesOf(context.records, placeholder.pod).map((peer) =>
    // The instance that is being placed right now has its footprint in the context only.
    nameOf(peer) === nameOf(context.instance) ? { ...peer, footprint: context.footprint } : peer,
  )
  const placed = known.filter((peer) => peer.footprint !== undefined)
  const joined = placed.filter((peer) => peer.joined)
  const self = placed.filter((peer) => nameOf(peer) === nameOf(context.instance))
  const chosen = placeholder.kind === 'peers' ? placed : joined.length > 0 ? joined : self
  return chosen
    .map((peer) => {
      const footprint = peer.footprint as Footprint
      const port = Object.values(footprint.ports).flatMap((ports) => ports[placeholder.port] ?? [])[0]
      const parts: Record<string, string> = {
        index: String(peer.index),
        name: nameOf(peer),
        address: advertisedAddress(context.spec, footprint),
        port: String(port ?? ''),
      }
      return placeholder.format.replace(/\{([a-z]+)\}/g, (whole, name: string) => parts[name] ?? whole)
    })
    .join(',')
}

/** Instances of a pod type in the order of their indexes. */
const instancesOf = (records: Records, pod: string): InstanceRecord[] =>
  [...records.instances.values()].filter((instance) => instance.pod === pod).sort((a, b) => a.index - b.index)

/** Pod types whose addresses the tasks of a pod want to know. */
function peersWanted(pod: PodSpec): Set<string> {
  const texts = Object.values(pod.tasks).flatMap((task) => Object.values(task.env))
  const placeholders = texts.flatMap((text) => findPlaceholders(text)).map((found) => found.placeholder)
  return new Set(placeholders.flatMap((placeholder) => (placeholder?.kind === 'peers' ? [placeholder.pod] : [])))
}

/** Pod types that others wait for: their footprints are settled before anything of them starts. */
const podsWaitedFor = oncePerSpec(
  (spec): ReadonlySet<string> => new Set(Object.values(spec.pods).flatMap((pod) => [...peersWanted(pod)])),
)

/**
 * Peers without a footprint that the first launch of the instance has to wait for: those of the count at which their pod was
 * first deployed. Every later launch takes the last known addresses and waits for nobody.
 */
export function missingPeers(records: Records, spec: ServiceSpec, instance: InstanceRecord): PodInstanceName[] {
  const pod = spec.pods[instance.pod]
  if (pod === undefined || instance.launched) return []
  const self = nameOf(instance)
  return [...peersWanted(pod)].flatMap((peerPod) => {
    const first = Math.min(records.service?.firstCounts[peerPod] ?? 0, spec.pods[peerPod]?.count ?? 0)
    const names = Array.from({ length: first }, (_, index) => podInstanceName(peerPod, index))
    return names.filter((name) => name !== self && records.instances.get(name)?.footprint === undefined)
  })
}

/**
 * Instances that may be placed before any plan takes them in hand, because others wait for their addresses: as long as a plan
 * that deploys is under way and not paused, or one in hand waits for them.
 */
export function placedAhead(state: State, target: Target): (instance: InstanceRecord) => boolean {
  const { records } = state
  const run = [records.runs.get('deploy'), records.runs.get('update')].find(
    (each) => each !== undefined && each.completedAtMs === undefined,
  )
  const isInHand = (): boolean =>
    openInstances(state).some(([, instance]) => instance.owner === 'deploy' || instance.owner === 'update')
  if (run === undefined || (run.paused && !isInHand())) return () => false
  const pods = podsWaitedFor(target.spec)
  return (instance) => instance.footprint === undefined && pods.has(instance.pod)
}

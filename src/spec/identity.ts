/**
 * Identity is content: one hash per task, one per pod type over what its executor and volumes depend on, one per spec.
 * Placement, counts, plans and back-off are in no task's hash: changing them restarts nobody. Values known only at launch are
 * placeholders in the text and are hashed as such. Every hash names the version of the form it was made from, and a released
 * version stays computable, so that an upgrade of the library rolls nothing. Pure.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { targetConfigId, type TargetConfigId } from '../ids.js'
import { canonicalJson } from './canonical.js'
import { usesHostPorts } from './check-pods.js'
import type { PodSpec, PortSpec, ServiceSpec, TaskSpec } from './schema.js'
import { hasLimits, resolveTask, resolveTasks } from './task-resources.js'

/** Version of the canonical form that new hashes are made from. */
export const hashVersion = 1

/** `<hash version>:<hash>`. */
export type ContentHash = string

/** 20 hex digits are 80 bits: far beyond what a service's history can collide on, and short enough for labels. */
const hashDigits = 20

/** SHA-256 in hex digits. */
export const textDigest = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)))

const hashOf = (content: unknown): ContentHash => `${hashVersion}:${textDigest(canonicalJson(content)).slice(0, hashDigits)}`

const mapValues = <Value, Result>(values: Readonly<Record<string, Value>>, change: (value: Value) => Result) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]))

/**
 * Changes when a relaunch of the task would launch something else. Not in it: what only counts when it fails, is stopped, is late
 * or gets its ports.
 */
export function taskHash(pod: Pick<PodSpec, 'resourceSets'>, task: TaskSpec): ContentHash {
  const {
    essential: _failing,
    preStop: _stopping,
    resourceSet: _set,
    readinessCheck,
    ports,
    ...launched
  } = resolveTask(pod, task)
  const { deadline: _late, ...check } = readinessCheck ?? {}
  return hashOf({
    ...launched,
    ports: mapValues(ports, ({ ranges: _choice, ...port }) => port),
    ...(readinessCheck === undefined ? {} : { readinessCheck: check }),
  })
}

/** Changes when the pod's executor, its volumes, or what all its tasks share would be others: then all tasks of the pod restart. */
export function podHash(pod: PodSpec): ContentHash {
  const { count: _c, allowDecommission: _a, placement: _p, tasks: _t, resourceSets: _r, preReservedRole: _role, ...shared } = pod
  // All tasks of an executor have control groups of their own, or none has.
  return hashOf(hasLimits(pod) ? { ...shared, ownCgroups: true } : shared)
}

/**
 * What a footprint holds; a change of it needs another reservation. The names of resource sets are in it, because reservations
 * carry them. Ports are, unless every pod has an address of its own.
 */
export function footprintHash(pod: PodSpec): ContentHash {
  const { executor, volumes, preReservedRole, networks = {} } = pod
  const onHost = usesHostPorts(pod)
  const mapped = Object.values(networks).flatMap(({ portMappings = [] }) => portMappings.map(({ hostPort }) => hostPort))
  return hashOf({
    executor,
    volumes,
    preReservedRole,
    ...(onHost ? {} : { ports: 'container' }),
    ...(mapped.length === 0 ? {} : { mapped: mapped.sort((a, b) => a - b) }),
    tasks: Object.fromEntries(
      resolveTasks(pod).map(([name, { cpus, memoryMb, gpus, volumes: own, resourceSet: set, ports }]) => [
        name,
        { cpus, memoryMb, gpus, volumes: own, set, ports: onHost ? mapValues(ports, portContent) : undefined },
      ]),
    ),
  })
}

const portContent = ({ port, ranges }: PortSpec) => (ranges === undefined ? port : { port, ranges })

/** Id of a whole spec; equal content, equal id. */
export const specId = (spec: ServiceSpec): TargetConfigId => targetConfigId(hashOf(spec))

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
import type { PodSpec, ServiceSpec, TaskSpec } from './schema.js'

/** Version of the canonical form that new hashes are made from. */
export const hashVersion = 1

/** `<hash version>:<hash>`. */
export type ContentHash = string

/** 20 hex digits are 80 bits: far beyond what a service's history can collide on, and short enough for labels. */
const hashDigits = 20

/** SHA-256 in hex digits. */
export const textDigest = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)))

const hashOf = (content: unknown): ContentHash => `${hashVersion}:${textDigest(canonicalJson(content)).slice(0, hashDigits)}`

/** Changes when a relaunch of the task would launch something else. */
export const taskHash = (task: TaskSpec): ContentHash => hashOf({ ...task })

/** Changes when the pod's executor or its volumes would be others: then all tasks of the pod restart. */
export const podHash = (pod: PodSpec): ContentHash => hashOf({ executor: pod.executor, volumes: pod.volumes })

/** What a footprint holds; a change of it needs another reservation. */
export const footprintHash = (pod: PodSpec): ContentHash =>
  hashOf({
    executor: pod.executor,
    volumes: pod.volumes,
    tasks: Object.fromEntries(
      Object.entries(pod.tasks).map(([name, task]) => [
        name,
        { cpus: task.cpus, memoryMb: task.memoryMb, ports: portNumbers(task) },
      ]),
    ),
  })

const portNumbers = (task: TaskSpec) => Object.fromEntries(Object.entries(task.ports).map(([name, port]) => [name, port.port]))

/** Id of a whole spec; equal content, equal id. */
export const specId = (spec: ServiceSpec): TargetConfigId => targetConfigId(hashOf(spec))

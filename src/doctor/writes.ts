/**
 * Rebuilt records as writes. The service's record goes first if there is one, and comes last: while it is missing no scheduler
 * starts on the store, and a rebuild that was stopped in between can be repeated. Pure.
 */
import { isSdkError } from '../errors.js'
import {
  instanceWrite,
  parseRecords,
  runWrite,
  serviceWrite,
  targetWrite,
  taskWrite,
  type RecordWrite,
} from '../scheduler/stored-records.js'
import type { Records } from '../scheduler/state.js'

/** Writes that must become durable together, in order. */
export type WriteGroups = readonly (readonly RecordWrite[])[]

export const serviceKey = 'service/service'

/** Everything of the records, the service last. */
export const recordWrites = ({ service, targets, instances, tasks, runs }: Records): RecordWrite[] => [
  ...[...targets.values()].map(targetWrite),
  ...[...instances.values()].map(instanceWrite),
  ...[...tasks].map(([name, record]) => taskWrite(name, record)),
  ...[...runs.values()].map(runWrite),
  ...(service === undefined ? [] : [serviceWrite(service)]),
]

/** What turns a lost store into the rebuilt one. */
export function rebuildWrites(stored: ReadonlyMap<string, string>, records: Records): WriteGroups {
  const writes = recordWrites(records)
  const kept = new Set(writes.map(({ key }) => key))
  const leftovers = [...stored.keys()].filter((key) => key === serviceKey || !kept.has(key)).sort()
  // The service's own record goes before everything else does.
  leftovers.sort((a, b) => Number(b === serviceKey) - Number(a === serviceKey))
  return [...leftovers.map((key) => [{ key, value: null }]), ...writes.map((write) => [write])]
}

/**
 * Why the store is not lost, or undefined when it is: empty, left behind by a rebuild that was stopped, or begun by a scheduler
 * that was refused before it was given a framework id.
 */
export function reasonToKeep(stored: ReadonlyMap<string, string>): string | undefined {
  if (!stored.has(serviceKey)) return undefined
  let records: Records
  try {
    records = parseRecords(stored)
  } catch (error) {
    if (!isSdkError(error)) throw error
    return `the store is not empty, and cannot be read: ${error.message}`
  }
  const id = records.service?.frameworkId
  if (id !== undefined)
    return `the store is not empty: it knows framework ${id}; compare it with the cluster instead, without --rebuild`
  const used = [...records.instances].find(([, { footprint }]) => footprint !== undefined)?.[0]
  return used === undefined ? undefined : `the store is not empty: it holds what is reserved for ${used}; start the scheduler`
}

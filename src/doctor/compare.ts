/**
 * Store against cluster: records with frameworks, reservations, volumes and tasks. What differs becomes a finding; what could not
 * be seen, a note. Pure.
 */
import { isSdkError, type SdkError } from '../errors.js'
import { matchesTarget, nameOf } from '../scheduler/assess.js'
import type { ClusterView } from '../scheduler/cluster-view.js'
import { frameworksOf, judgeFounding } from '../scheduler/founding.js'
import type { Records } from '../scheduler/state.js'
import { buildTarget } from '../scheduler/target.js'
import type { ServiceSpec } from '../spec/schema.js'
import { compareFootprints } from './compare-footprints.js'
import { compareTasks, isLive, ownTasks } from './compare-tasks.js'
import { finding, type Finding } from './findings.js'
import { ownReservations } from './reservations.js'

export interface Diagnosis {
  readonly service: string
  /** As stored. */
  readonly frameworkId?: string
  /** Who leads the service, by the name it gave itself; absent when nobody does. */
  readonly leader?: string
  /** How much was looked at. */
  readonly compared: {
    readonly instances: number
    readonly agents: number
    readonly reservations: number
    /** That may be alive. */
    readonly tasks: number
  }
  /** Empty: nothing differs. */
  readonly findings: readonly Finding[]
  /** What limits the answer. */
  readonly notes: readonly string[]
}

/** `records` is the error that reading them ended with, if they cannot be read. */
export function compare(spec: ServiceSpec, records: Records | SdkError, cluster: ClusterView): Diagnosis {
  const own = ownReservations(spec, cluster.agents.registered)
  const notes = notesOn(cluster)
  const seen = { agents: cluster.agents.registered.length, reservations: own.length }
  if (isSdkError(records)) {
    const record = typeof records.details['record'] === 'string' ? records.details['record'] : 'store'
    const findings = [finding('RECORDS_UNREADABLE', record, records.message)]
    return { service: spec.name, compared: { instances: 0, tasks: 0, ...seen }, findings, notes }
  }
  const tasks = ownTasks(spec, records, cluster)
  const id = records.service?.frameworkId
  const compared = { instances: records.instances.size, tasks: tasks.filter(isLive).length, ...seen }
  const lost = findLostStore(spec, records, cluster)
  const findings = lost ?? [
    ...compareFrameworks(spec, records, cluster),
    ...compareSpec(spec, records),
    ...compareFootprints(records, cluster.agents, own),
    ...compareTasks(records, tasks),
  ]
  return { service: spec.name, ...(id === undefined ? {} : { frameworkId: id }), compared, findings, notes }
}

/** A store without a framework id in a cluster that has the service; undefined when that is not so. */
function findLostStore(spec: ServiceSpec, records: Records, cluster: ClusterView): Finding[] | undefined {
  if (records.service?.frameworkId !== undefined) return undefined
  const verdict = judgeFounding(spec, records, cluster, false)
  return verdict.kind === 'exists' ? [finding('STORE_LOST', spec.name, verdict.found.join('; '))] : undefined
}

function compareFrameworks(spec: ServiceSpec, records: Records, { frameworks }: ClusterView): Finding[] {
  const id = records.service?.frameworkId
  if (id === undefined) return []
  const stored = frameworks.find((framework) => framework.id === id)
  const others = frameworksOf(spec, frameworks).filter((framework) => framework.id !== id)
  const known =
    stored === undefined
      ? [finding('FRAMEWORK_UNKNOWN', `framework ${id}`, 'it is stored, and the master does not show it')]
      : stored.state === 'completed'
        ? [finding('FRAMEWORK_REMOVED', `framework ${id}`, 'it is stored, and the master has it among the removed ones')]
        : []
  return [
    ...known,
    ...others.map((other) =>
      finding(
        'FRAMEWORK_TWICE',
        `framework ${other.id}`,
        `it has the name and role of this service (${other.state}), and the store has ${id}`,
      ),
    ),
  ]
}

function compareSpec(spec: ServiceSpec, records: Records): Finding[] {
  const target = buildTarget(spec)
  const stored = records.service?.targetId
  if (stored === undefined || stored === target.id) return []
  const touched = [...records.instances.values()].filter((instance) => !matchesTarget(records, instance, target)).map(nameOf)
  const what = touched.length === 0 ? 'touches no instance' : `touches ${touched.join(', ')}`
  return [finding('SPEC_DIFFERS', spec.name, `target ${stored} is stored, SPEC is ${target.id}; a start with it ${what}`)]
}

function notesOn({ agents }: ClusterView): string[] {
  const notes: string[] = []
  if (agents.recovered.length > 0)
    notes.push(`${agents.recovered.length} agents are not back since the master was restarted: what they hold could not be seen`)
  if (agents.unreachable !== undefined && agents.unreachable > 0)
    notes.push(`${agents.unreachable} agents are unreachable: what they hold could not be seen`)
  return notes
}

/**
 * What must be so when a run is over: everything is deployed as if nothing had ever failed, or it waits and says for what. Reads
 * the store and the cluster's log, and compares with a run without faults. Pure.
 */
import type { RecordKey } from '../../ports/state-store.js'
import type { ServiceStatus } from '../../scheduler/report.js'
import type { InstanceRecord } from '../../scheduler/records/instance-record.js'
import type { ServiceRecord } from '../../scheduler/records/service-record.js'
import type { TaskRecord } from '../../state-machine/task-record.js'
import { instanceOfTask } from '../checkers/names.js'
import { refusalText } from '../../spec/check-update.js'
import type { LogEntry } from '../virtual/log.js'

/** An install as it counts: ids, agents and ports left out, because no two installs share them. */
export interface Install {
  readonly targetId: string | undefined
  /** Live processes by task name, with the content they were launched from. */
  readonly running: Readonly<Record<string, string>>
  /** Kept resources by pod instance. */
  readonly footprints: Readonly<Record<string, readonly string[]>>
}

/** What of an install belongs to one pod instance. */
export const partOf = ({ running, footprints }: Install, instance: string) => ({
  running: Object.fromEntries(Object.entries(running).filter(([task]) => instanceOfTask(task) === instance)),
  footprint: footprints[instance],
})

/** Watches what lives and what is lost for ever. */
export interface Survey {
  onEntry(entry: LogEntry): void
  install(records: ReadonlyMap<RecordKey, string>): Install
  /** Pod instances whose agent, as their footprint knows it, does not come back. */
  lostInstances(records: ReadonlyMap<RecordKey, string>): ReadonlySet<string>
}

export function createSurvey(): Survey {
  const alive = new Map<string, string>()
  /** The id under which a machine last registered. */
  const registered = new Map<string, string>()
  const lostAgents = new Set<string>()

  return {
    onEntry(entry) {
      if (entry.type === 'processStarted') alive.set(entry.process.taskId, entry.process.name)
      if (entry.type === 'processEnded') alive.delete(entry.process.taskId)
      if (entry.type === 'agentRegistered') {
        const before = registered.get(entry.hostname)
        if (before !== undefined && before !== entry.agentId) lostAgents.add(before)
        registered.set(entry.hostname, entry.agentId)
      }
      if (entry.type === 'agentGone') lostAgents.add(entry.agentId)
    },
    install(records) {
      const running: Record<string, string> = {}
      for (const [taskId, name] of alive) {
        const launch = parse<TaskRecord>(records, `tasks/${name}`)?.context.launch
        running[name] = launch?.taskId === taskId ? `${launch.taskHash} in ${launch.podHash}` : `unknown ${taskId}`
      }
      const footprints: Record<string, readonly string[]> = {}
      for (const [key, record] of parsed<InstanceRecord>(records, 'instances/')) footprints[key] = printFootprint(record)
      return { targetId: parse<ServiceRecord>(records, 'service/service')?.targetId, running: sorted(running), footprints }
    },
    lostInstances(records) {
      const lost = new Set<string>()
      for (const [name, { footprint }] of parsed<InstanceRecord>(records, 'instances/'))
        if (footprint !== undefined && lostAgents.has(footprint.agentId)) lost.add(name)
      return lost
    },
  }
}

const sorted = (record: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

function parse<Record>(records: ReadonlyMap<RecordKey, string>, key: RecordKey): Record | undefined {
  const text = records.get(key)
  return text === undefined ? undefined : (JSON.parse(text) as Record)
}

function* parsed<Record>(records: ReadonlyMap<RecordKey, string>, prefix: string): Iterable<[string, Record]> {
  for (const [key, text] of records) if (key.startsWith(prefix)) yield [key.slice(prefix.length), JSON.parse(text) as Record]
}

const printFootprint = ({ footprint }: InstanceRecord): string[] =>
  (footprint?.entries ?? [])
    .map(({ part, name, amount, ranges, volume, state }) => {
      const size = amount ?? (ranges ?? []).reduce((sum, { begin, end }) => sum + end - begin + 1, 0)
      return `${part} ${name} ${size}${volume === undefined ? '' : ` volume at ${volume.containerPath}`}: ${state}`
    })
    .sort()

/** Everything is done. */
export const isComplete = (status: ServiceStatus): boolean =>
  status.connected &&
  status.instances.every((instance) => instance.ready && instance.owner === 'none') &&
  status.plans.every((plan) => plan.status === 'COMPLETE')

/** What is wrong with an end in which instances are lost: each must say so, and name the permit that would end its wait. */
export function checkWaits(status: ServiceStatus, lost: ReadonlySet<string>): string[] {
  const problems = refusalIn(status)
  const steps = status.plans.flatMap((plan) => plan.phases.flatMap((phase) => phase.steps))
  for (const plan of status.plans) {
    if (plan.status !== 'COMPLETE' && plan.reason === undefined && !plan.phases.some((phase) => phase.steps.some(isExplained)))
      problems.push(`plan ${plan.name} is ${plan.status} and gives no reason`)
  }
  for (const { name, ready, deployed } of status.instances) {
    if (ready) continue
    const reasons = steps.filter((step) => step.name === name && step.status !== 'COMPLETE').flatMap((step) => step.reason ?? [])
    if (lost.has(name) && !reasons.some((reason) => reason.includes('permit')))
      problems.push(
        `${name} has lost its agent and names no permit that would end its wait: ${reasons.join('; ') || 'no reason'}`,
      )
    if (!lost.has(name) && deployed)
      problems.push(`${name} has lost nothing and is not ready: ${reasons.join('; ') || 'no reason'}`)
  }
  return problems
}

const isExplained = ({ status, reason }: { readonly status: string; readonly reason?: string }): boolean =>
  status !== 'COMPLETE' && reason !== undefined

/** Why the spec that was handed in last is not the one in force, if so. */
const refusalIn = ({ rejected }: ServiceStatus): string[] =>
  rejected === undefined ? [] : [`the spec ${rejected.targetId} was refused: ${rejected.reasons.map(refusalText).join('; ')}`]

/** What is not done, for somebody who has to find out why. */
export const describeOpen = (status: ServiceStatus): string =>
  [
    ...refusalIn(status),
    JSON.stringify([
      ...status.plans
        .filter((plan) => plan.status !== 'COMPLETE')
        .map(({ name, status: state, reason, phases }) => ({
          plan: name,
          state,
          reason,
          steps: phases.flatMap((phase) => phase.steps.filter((step) => step.status !== 'COMPLETE')),
        })),
      ...status.instances.filter((instance) => !instance.ready).map(({ name, owner, tasks }) => ({ name, owner, tasks })),
    ]),
  ].join('; ')

/**
 * The doctor's hands: reads store and cluster, and writes a rebuilt store. What it reads is judged in `src/doctor`. Order of a
 * rebuild: look first, then take the lock, then look again and decide on that; the commits are fenced like a scheduler's.
 */
import { isSdkError, SdkError } from '../errors.js'
import type { IdSource } from '../ids.js'
import type { Clock } from '../ports/clock.js'
import type { OperatorApi } from '../ports/operator-api.js'
import type { StateStore, StoreSession } from '../ports/state-store.js'
import type { StoredRecords, StoreReader } from '../ports/store-reader.js'
import type { ClusterView } from '../scheduler/cluster-view.js'
import { newState } from '../scheduler/open-instances.js'
import { serviceStatus, type ServiceStatus } from '../scheduler/report.js'
import type { Records } from '../scheduler/state.js'
import { parseRecords } from '../scheduler/stored-records.js'
import { compare, type Diagnosis } from '../doctor/compare.js'
import type { RebuildAnswers } from '../doctor/evidence.js'
import { inBoth } from '../doctor/findings.js'
import { rebuildRecords } from '../doctor/rebuild.js'
import { rehearse } from '../doctor/rehearse.js'
import type { Rebuild } from '../doctor/render.js'
import { reasonToKeep, rebuildWrites, recordWrites, type WriteGroups } from '../doctor/writes.js'
import type { ServiceSpec } from '../spec/schema.js'
import { batchDecisions } from './run-loop.js'

/** Store and cluster are read one after the other: what was only under way is over by the second look. */
const secondLookMs = 2_000

export interface DiagnosisParts {
  readonly spec: ServiceSpec
  readonly reader: StoreReader
  readonly operatorApi: OperatorApi
  readonly clock: Clock
}

export async function runDiagnosis(parts: DiagnosisParts): Promise<Diagnosis> {
  const first = await look(parts)
  if (first.findings.length === 0) return first
  await new Promise<void>((resolve) => void parts.clock.after(secondLookMs, resolve))
  const second = await look(parts)
  return { ...second, findings: inBoth(first.findings, second.findings) }
}

async function look({ spec, reader, operatorApi }: DiagnosisParts): Promise<Diagnosis> {
  const stored = await reader.read()
  const diagnosis = compare(spec, readable(stored.records), await readCluster(operatorApi))
  return { ...diagnosis, ...leaderOf(stored) }
}

const leaderOf = ({ leader }: StoredRecords): { leader?: string } => (leader === undefined ? {} : { leader })

function readable(stored: StoredRecords['records']): Records | SdkError {
  try {
    return parseRecords(stored)
  } catch (error) {
    if (isSdkError(error, 'ERR_STORED_STATE')) return error
    throw error
  }
}

/** One call after the other: reservations are asked for before tasks, so that no task is shown without its footprint. */
async function readCluster(api: OperatorApi): Promise<ClusterView> {
  const frameworks = await api.frameworks()
  const agents = await api.agents()
  const executors = await api.executors()
  const tasks = await api.tasks()
  return { frameworks, agents, executors, tasks, operations: await api.operations() }
}

export interface RebuildParts extends DiagnosisParts {
  readonly store: StateStore
  readonly previous: readonly ServiceSpec[]
  readonly answers: RebuildAnswers
  readonly ids: IdSource
  /** Shown to whoever finds the lock taken. */
  readonly holder: string
}

/** @throws SdkError `ERR_REBUILD_REFUSED` with `details.reasons`, `ERR_LOCK_HELD`, those of store and operator API. */
export async function runRebuild(parts: RebuildParts, dryRun: boolean): Promise<Rebuild> {
  const { spec, reader, store, holder } = parts
  const { records: stored, leader } = await reader.read()
  if (leader !== undefined) throw refused(spec, [`${leader} leads this service; stop that scheduler`])
  const planned = await plan(parts, stored)
  if (dryRun) return report(spec, planned, false)
  // Whoever began to lead meanwhile is found by the lock, and what has changed meanwhile by the second look.
  const session = await store.open({ holder, lockWaitMs: 0 })
  try {
    const final = await plan(parts, session.records)
    await write(session, rebuildWrites(session.records, final.records))
    return report(spec, final, true)
  } finally {
    await session.close()
  }
}

interface Planned {
  readonly records: Records
  readonly says: readonly string[]
  readonly plans: readonly string[]
}

/** Decided in one go, and played through before anything of it is written. */
async function plan(parts: RebuildParts, stored: StoredRecords['records']): Promise<Planned> {
  const { spec, previous, answers, ids, clock } = parts
  const kept = reasonToKeep(stored)
  if (kept !== undefined) throw refused(spec, [kept])
  const cluster = await readCluster(parts.operatorApi)
  const nowMs = clock.now()
  const result = rebuildRecords({ spec, previous, cluster, answers, nowMs, ids })
  if (!result.ok) throw refused(spec, result.reasons)
  // As it will be read, so that what could not be read is never written.
  const records = parseRecords(new Map(recordWrites(result.records).map(({ key, value }) => [key, value ?? ''])))
  const { objections, plans } = rehearse(spec, records, cluster, nowMs, { ids })
  if (objections.length > 0)
    throw refused(
      spec,
      objections.map((objection) => `played through with what was found: ${objection}`),
    )
  return { records, says: result.says, plans }
}

const refused = ({ name }: ServiceSpec, reasons: readonly string[]): SdkError =>
  new SdkError(
    'ERR_REBUILD_REFUSED',
    `the store of service ${name} cannot be rebuilt, and nothing was written:\n${reasons.map((reason) => `  ${reason}`).join('\n')}`,
    { details: { service: name, reasons } },
  )

async function write(session: StoreSession, groups: WriteGroups): Promise<void> {
  for (const batch of batchDecisions(groups, session.limits)) await session.commit(batch)
}

function report(spec: ServiceSpec, { records, says, plans }: Planned, isWritten: boolean): Rebuild {
  const writes = recordWrites(records)
  const frameworkId = records.service?.frameworkId
  return {
    service: spec.name,
    ...(frameworkId === undefined ? {} : { frameworkId }),
    isWritten,
    status: serviceStatus(newState(records)) as ServiceStatus,
    plans,
    says,
    records: writes.length,
    bytes: writes.reduce((sum, { value }) => sum + Buffer.byteLength(value ?? ''), 0),
  }
}

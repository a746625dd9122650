/** The composition root of the doctor: which adapters it looks through. Like that of the scheduler, it loads them when needed. */
import type { Diagnosis } from '../doctor/compare.js'
import { noAnswers, type RebuildAnswers } from '../doctor/evidence.js'
import type { Rebuild } from '../doctor/render.js'
import type { Logger } from '../ports/logger.js'
import type { StateStore } from '../ports/state-store.js'
import type { StoreReader } from '../ports/store-reader.js'
import type { ServiceSpec } from '../spec/schema.js'
import { connectOperatorApi, openStore, type ClusterOptions } from './create-scheduler.js'
import { runDiagnosis, runRebuild } from './doctor.js'
import { processIdentity, randomIds, systemClock } from './process-inputs.js'

/** Where the service is; the same as for `createScheduler`. The principal needs to see frameworks, tasks, executors and roles. */
export interface DoctorOptions extends ClusterOptions {
  /** `zk://host1:2181,host2:2181/path`; or `lmdb:/path`, which can be looked into only while no scheduler has it open. */
  readonly store: string
  /** @defaultValue nothing is logged */
  readonly logger?: Logger
}

export interface RebuildOptions extends DoctorOptions {
  /** Say what would be written, and write nothing. @defaultValue false */
  readonly dryRun?: boolean
  /** Earlier specs that instances may still be on, as in an update that was not complete. @defaultValue none */
  readonly previous?: readonly ServiceSpec[]
  /** What only the operator knows; asked for by the refusal where it is needed. @defaultValue nothing */
  readonly answers?: Partial<RebuildAnswers>
}

const storeSessionTimeoutMs = 10_000
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Compares what a service has stored with what the cluster shows of it. It changes nothing and disturbs no scheduler.
 * @throws SdkError `ERR_INVALID_OPTION`, `ERR_STORE_UNREACHABLE`, `ERR_MASTER_UNREACHABLE`, `ERR_NOT_PERMITTED`.
 * @example
 * const { findings } = await diagnose(spec, { cluster: 'http://127.0.0.1:5050', store: 'zk://127.0.0.1:2181/stateward' })
 */
export async function diagnose(spec: ServiceSpec, options: DoctorOptions): Promise<Diagnosis> {
  const operatorApi = await connectOperatorApi(options)
  return runDiagnosis({ spec, reader: await openReader(spec, options), operatorApi, clock: systemClock })
}

/**
 * Writes a lost store anew, from what the cluster shows of the service, so that a scheduler started afterwards touches no task.
 * @throws SdkError `ERR_REBUILD_REFUSED` where the store is not lost, a scheduler leads, or what is found is contradictory or too
 * little; then nothing was written.
 */
export async function rebuildStore(spec: ServiceSpec, options: RebuildOptions): Promise<Rebuild> {
  const parts = {
    spec,
    reader: await openReader(spec, options),
    operatorApi: await connectOperatorApi(options),
    clock: systemClock,
    store: await openStore(options.store, spec.name, storeSessionTimeoutMs, options.logger ?? silent),
    previous: options.previous ?? [],
    answers: { ...noAnswers, ...options.answers },
    ids: randomIds,
    holder: `${processIdentity(undefined)} (doctor --rebuild)`,
  }
  return runRebuild(parts, options.dryRun ?? false)
}

async function openReader(spec: ServiceSpec, { store, logger = silent }: DoctorOptions): Promise<StoreReader> {
  if (!store.startsWith('zk://')) return readByOpening(await openStore(store, spec.name, storeSessionTimeoutMs, logger))
  const { createZooKeeperReader } = await import('../store/zookeeper-reader.js')
  return createZooKeeperReader({ connect: store, service: spec.name, logger })
}

/** Other stores are read by whoever leads; beside a scheduler that is refused with `ERR_LOCK_HELD`. */
const readByOpening = (store: StateStore): StoreReader => ({
  async read() {
    const session = await store.open({ holder: `${processIdentity(undefined)} (doctor)`, lockWaitMs: 0 })
    await session.close()
    return { records: session.records }
  },
})

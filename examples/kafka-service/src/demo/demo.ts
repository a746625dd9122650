/** What the steps of the demo share, and the few things each of them does: follow a plan, look at a broker, kill one. */
import { readFile, realpath } from 'node:fs/promises'
import type { ServiceStatus } from 'stateward'
import type { Kafka as Client } from 'kafkajs'
import type { Endpoint } from '../kafka-connection.js'
import { readBrokerFiles } from './broker-files.js'
import { PlanDisplay, say } from './display.js'
import { listenerOf, type OwnProcess, signal, waitUntilGone, workingDirectoryOf } from './processes.js'
import { type ClusterAddresses, type Program, startScheduler } from './programs.js'
import type { Evidence } from './proof.js'
import type { Report } from './report.js'
import { brokersOf, clientEndpoint, instanceOf, isComplete, readStatus, serverTaskId, waitForStatus } from './status.js'
import { patientClient, readOffsets } from './topic-io.js'

export interface Demo {
  readonly report: Report
  readonly cluster: ClusterAddresses
  readonly kafkaLibs: string
  readonly httpPort: number
  readonly abort: AbortSignal
  /** The scheduler that runs now; steps stop it and start another. */
  scheduler: Program
}

/** The topic whose files and records are checked. */
export const topic = 'orders'
export const partitions = 3

/** Long enough for two busy cores; what takes longer is stuck. */
export const planLimitMs = 180_000
const killLimitMs = 10_000

export function startSchedulerAgain(demo: Demo, brokerSettings: readonly string[] = []): void {
  const { cluster, httpPort, kafkaLibs } = demo
  demo.scheduler = startScheduler({ cluster, httpPort, kafkaLibs, brokerSettings })
}

/** Shows a plan until `isDone` holds. */
export async function followPlan(
  demo: Demo,
  plan: string,
  what: string,
  isDone: (status: ServiceStatus) => boolean,
  onStatus: (status: ServiceStatus) => void = () => undefined,
): Promise<ServiceStatus> {
  const display = new PlanDisplay(plan)
  try {
    return await waitForStatus(demo.httpPort, isDone, {
      what,
      limitMs: planLimitMs,
      signal: demo.abort,
      onStatus: (status) => {
        display.show(status)
        onStatus(status)
      },
    })
  } finally {
    display.end()
  }
}

/** Follows the recovery of one instance: a task other than `oldTaskId` is ready, and no plan has anything left to do. */
export async function followRecovery(demo: Demo, name: string, oldTaskId: string): Promise<ServiceStatus> {
  return followPlan(demo, 'recovery', `the recovery of ${name}`, (status) => {
    const instance = instanceOf(status, name)
    return instance.ready && serverTaskId(instance) !== oldTaskId && isComplete(status, 'recovery')
  })
}

export async function clientOf(demo: Demo): Promise<Client> {
  return patientClient(await brokerEndpoints(demo))
}

export async function brokerEndpoints(demo: Demo): Promise<Endpoint[]> {
  return brokersOf(await readStatus(demo.httpPort)).map(clientEndpoint)
}

/** The JVM behind an instance, found by the port it listens on. */
export function processOf(status: ServiceStatus, name: string): OwnProcess {
  const { host, port } = clientEndpoint(instanceOf(status, name))
  const found = listenerOf(host, port)
  if (found === undefined) throw new Error(`nothing listens on ${host}:${String(port)}, where ${name} should`)
  return found
}

/** Ends a broker's JVM as a crash would. */
export async function killBroker(own: OwnProcess, name: string): Promise<void> {
  say(`SIGKILL to process ${String(own.pid)}, the JVM of ${name}`)
  signal(own, 'SIGKILL')
  if (!(await waitUntilGone(own, killLimitMs))) throw new Error(`process ${String(own.pid)} outlived SIGKILL`)
}

export interface BrokerPlace {
  readonly sandbox: string
  /** The persistent volume itself, not the link to it in the sandbox. */
  readonly volume: string
}

/** Where a running broker keeps its things: its working directory is its sandbox, which holds a link to the volume. */
export async function placeOf(own: OwnProcess): Promise<BrokerPlace> {
  const sandbox = workingDirectoryOf(own.pid)
  return { sandbox, volume: await realpath(`${sandbox}/data`) }
}

export async function gatherEvidence(demo: Demo, status: ServiceStatus, name: string): Promise<Evidence> {
  const instance = instanceOf(status, name)
  const own = processOf(status, name)
  const { sandbox, volume } = await placeOf(own)
  const offsets = await readOffsets(await clientOf(demo), topic)
  return {
    instance: name,
    agentId: instance.agentId ?? '',
    volumeId: instance.volumes[0]?.persistenceId ?? '',
    taskId: serverTaskId(instance),
    pid: own.pid,
    files: await readBrokerFiles(`${volume}/broker-${String(instance.index)}`, topic),
    log: await readFile(`${sandbox}/server.log`, 'utf8'),
    ends: new Map(offsets.map(({ partition, high }) => [partition, Number(high)] as const)),
  }
}

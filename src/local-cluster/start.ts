/**
 * Starting a local cluster and holding it: a master and agents as processes of their own, and the controls that tests and
 * demonstrations need. Everything listens on loopback addresses only.
 */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { SdkError } from '../errors.js'
import { buildHandle } from './cluster-handle.js'
import type { LocalCluster } from './cluster-handle.js'
import { hasProcesses, killAll, readRecord, writeRecord } from './cluster-record.js'
import type { ClusterRecord } from './cluster-record.js'
import { DEFAULT_CLUSTER_TIMINGS } from './options.js'
import type { AgentOptions, AgentProcessOptions, LocalClusterOptions } from './options.js'
import { isRunning, markProcess, waitUntil } from './processes.js'

const DEFAULT_AGENTS = 3
const MAX_AGENTS = 200
const ZONES = 3
const END_LIMIT_MS = 10_000

function freePort(host: string): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, host, () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null ? done(address.port) : fail(new Error(`no free port on ${host}`)),
      )
    })
  })
}

function completeAgent(own: AgentOptions, defaults: AgentOptions, index: number): Required<AgentOptions> {
  const third = (index % ZONES) + 1
  return {
    cpus: 4,
    memoryMb: 4096,
    diskMb: 10_240,
    ports: { begin: 21_000, end: 22_000 },
    attributes: { rack: `r${third}` },
    region: 'region-a',
    zone: `zone-${third}`,
    ...defaults,
    ...own,
  }
}

async function planAgent(
  options: LocalClusterOptions,
  own: AgentOptions,
  index: number,
  masterUrl: string,
): Promise<AgentProcessOptions> {
  const ip = `127.0.0.${index + 1}`
  const timings = { ...DEFAULT_CLUSTER_TIMINGS, ...options.timings }
  return {
    directory: join(resolve(options.workDir), `agent-${index + 1}`),
    masterUrl,
    ip,
    port: await freePort(ip),
    options: completeAgent(own, options.agentDefaults ?? {}, index),
    timings,
    executorRecoveryTimeoutMs: timings.executorRecoveryTimeoutMs,
    isDetached: options.detached ?? false,
  }
}

async function planCluster(options: LocalClusterOptions): Promise<ClusterRecord> {
  const { agents = DEFAULT_AGENTS } = options
  const own: readonly AgentOptions[] = typeof agents === 'number' ? Array.from({ length: agents }, () => ({})) : agents
  if (own.length < 1 || own.length > MAX_AGENTS)
    throw new SdkError('ERR_INVALID_OPTION', `agents must be between 1 and ${MAX_AGENTS} (got ${own.length})`)
  const wantedPort = options.port ?? 0
  const port = wantedPort === 0 ? await freePort('127.0.0.1') : wantedPort
  const directory = join(resolve(options.workDir), 'master')
  const timings = { ...DEFAULT_CLUSTER_TIMINGS, ...options.timings }
  const planned: { options: AgentProcessOptions }[] = []
  for (const [index, entry] of own.entries())
    planned.push({ options: await planAgent(options, entry, index, `http://127.0.0.1:${port}`) })
  return { master: { options: { port, directory, timings, isDetached: options.detached ?? false } }, agents: planned }
}

/** Ends what a killed earlier run in the same directory has left, and waits until it is gone. */
async function clearRemains(workDir: string): Promise<ClusterRecord | undefined> {
  const remains = readRecord(workDir)
  if (remains === undefined) return undefined
  const { starter } = remains
  if (starter !== undefined && starter.pid !== process.pid && isRunning(starter) && hasProcesses(remains)) {
    throw new SdkError(
      'ERR_CLUSTER',
      `a cluster runs in ${workDir}, started by process ${starter.pid}; end that one, or take another work directory`,
    )
  }
  killAll(remains)
  if (!(await waitUntil(() => !hasProcesses(remains), END_LIMIT_MS)))
    throw new SdkError('ERR_CLUSTER', `processes of an earlier cluster in ${workDir} do not end`)
  return remains
}

/**
 * Starts a master and agents, and waits until all agents are registered. A directory that was used before keeps its
 * agents' identities, reservations and volumes; processes that a killed earlier run left there are ended first.
 *
 * @throws SdkError ERR_CLUSTER if a process does not start or register in time, ERR_INVALID_OPTION for a bad option
 * @example
 * const cluster = await startLocalCluster({ agents: 3, workDir: '/tmp/demo' })
 * console.log(cluster.masterUrl)
 * await cluster.close()
 */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const workDir = resolve(options.workDir)
  mkdirSync(workDir, { recursive: true })
  const remains = await clearRemains(workDir)
  const planned = await planCluster(options)
  // Agents keep their addresses, or the master would take them for others.
  const agents = planned.agents.map((agent, index) => {
    const port = remains?.agents[index]?.options.port
    return { options: port === undefined ? agent.options : { ...agent.options, port } }
  })
  const record = { ...planned, agents, starter: options.detached === true ? undefined : markProcess(process.pid) }
  writeRecord(workDir, record)
  const cluster = buildHandle(workDir, record, false)
  try {
    await cluster.startAll()
  } catch (error) {
    await cluster.handle.close()
    throw error
  }
  return cluster.handle
}

/** A handle on a cluster that runs already, started with `detached: true` or by `stateward cluster up`. */
export async function attachLocalCluster(workDir: string): Promise<LocalCluster> {
  const record = readRecord(resolve(workDir))
  if (record === undefined) throw new SdkError('ERR_CLUSTER', `no cluster was started in ${workDir}`)
  const { handle } = buildHandle(resolve(workDir), record, true)
  await handle.status()
  return handle
}

/** A handle on a running cluster: addresses, controls, and views of what really runs. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SdkError } from '../errors.js'
import type { MasterRegistry } from '../mesos-model/master-state.js'
import { hasProcesses, killAll, killWork, readRecord, writeRecord } from './cluster-record.js'
import type { ClusterRecord } from './cluster-record.js'
import { readAgentState, readExecutorMark, readTaskRecords } from './executor-files.js'
import { acceptedCallsFile, readJson, registryFile, writeJson } from './files.js'
import type { AcceptedCall } from './master-control.js'
import { delay, isRunning, killMarked, markProcess, spawnProcess, waitUntil } from './processes.js'
import type { ProcessKind, ProcessMark } from './processes.js'

const START_LIMIT_MS = 60_000
const END_LIMIT_MS = 15_000
const POLL_MS = 50

export interface LocalAgent {
  readonly index: number
  /** Assigned by the master; absent before the first registration. */
  readonly id?: string
  readonly ip: string
  readonly url: string
  readonly directory: string
  /** Of the agent's process; absent while it is down. */
  readonly pid?: number
}

export interface LocalTask {
  readonly taskId: string
  readonly frameworkId: string
  readonly executorId: string
  readonly agentIndex: number
  /** The real process of the task: leader of its own session. */
  readonly pid: number
  readonly executorPid?: number
  /** Working directory of the task, with its `stdout` and `stderr`. */
  readonly sandbox: string
  /** Directories of the persistent volumes it sees. */
  readonly volumes: readonly string[]
}

export interface ClusterStatus {
  readonly masterId: string
  readonly agents: readonly {
    readonly id: string
    readonly ip: string
    readonly hostname: string
    readonly isConnected: boolean
  }[]
  readonly frameworks: readonly {
    readonly id: string
    readonly name: string
    readonly streamId?: string
    readonly tasks: number
  }[]
  readonly unreachable: readonly string[]
}

/** Agents are named by their index, from 0. */
export interface LocalCluster {
  readonly masterUrl: string
  readonly workDir: string
  agents(): LocalAgent[]
  /** Running tasks with their processes. */
  tasks(): LocalTask[]
  status(): Promise<ClusterStatus>
  /** Scheduler calls that the master took, in order, with their streams. */
  acceptedCalls(): Promise<AcceptedCall[]>
  /** Kills the agent's process only; executors and tasks live on. */
  stopAgent(index: number): Promise<void>
  /** Starts it again on its directory and waits until it is registered. */
  startAgent(index: number): Promise<void>
  /** Kills the agent and all processes of its executors and tasks. */
  machineDown(index: number): Promise<void>
  machineUp(index: number): Promise<void>
  /** Nothing passes between master and agent any more; all processes keep running. */
  partition(index: number): Promise<void>
  heal(index: number): Promise<void>
  /** Machine down, its directory emptied, machine up: it comes back as a new agent without reservations or volumes. */
  wipeAgent(index: number): Promise<void>
  /** Kills the master and starts another one on the same port, with nothing but the registry. */
  failoverMaster(): Promise<void>
  /** Ends every process of the cluster. Files stay. */
  close(): Promise<void>
}

interface Holder {
  readonly workDir: string
  /** Of another process: what is started here must outlive this one. */
  readonly isAttached: boolean
}

/** Read anew each time: several processes may hold one cluster. */
function recordOf({ workDir }: Holder): ClusterRecord {
  const record = readRecord(workDir)
  if (record === undefined) throw new SdkError('ERR_CLUSTER', `${workDir} holds no cluster: its cluster.json is gone`)
  return record
}

const masterUrlOf = (record: ClusterRecord): string => `http://127.0.0.1:${record.master.options.port}`

async function control<T>(holder: Holder, path: string, body?: object): Promise<T> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(`${masterUrlOf(recordOf(holder))}/stateward-cluster/${path}`, init)
  if (!response.ok) throw new SdkError('ERR_CLUSTER', `the cluster's master answered ${response.status} to ${path}`)
  return (await response.json()) as T
}

function launchProcess(holder: Holder, kind: ProcessKind, name: string, planned: { readonly isDetached: boolean }): ProcessMark {
  const options = { ...planned, isDetached: planned.isDetached || holder.isAttached }
  mkdirSync(join(holder.workDir, 'logs'), { recursive: true })
  const child = spawnProcess(kind, options, {
    logFile: join(holder.workDir, 'logs', `${name}.log`),
    isDetached: options.isDetached,
  })
  const mark = child.pid === undefined ? undefined : markProcess(child.pid)
  if (mark === undefined)
    throw new SdkError('ERR_CLUSTER', `the process of ${name} did not start; see ${join(holder.workDir, 'logs', `${name}.log`)}`)
  return mark
}

function launchMaster(holder: Holder): void {
  const { master } = recordOf(holder)
  const mark = launchProcess(holder, 'master', 'master', master.options)
  writeRecord(holder.workDir, { ...recordOf(holder), master: { ...master, mark } })
}

function agentAt(holder: Holder, index: number): ClusterRecord['agents'][number] {
  const agent = recordOf(holder).agents[index]
  if (agent === undefined) throw new SdkError('ERR_INVALID_OPTION', `there is no agent ${index}; agents are counted from 0`)
  return agent
}

function launchAgent(holder: Holder, index: number): void {
  const agent = agentAt(holder, index)
  if (agent.mark !== undefined && isRunning(agent.mark)) return
  const mark = launchProcess(holder, 'agent', `agent-${index + 1}`, agent.options)
  const record = recordOf(holder)
  writeRecord(holder.workDir, { ...record, agents: record.agents.with(index, { ...agent, mark }) })
}

async function waitFor(
  what: string,
  isTrue: () => Promise<boolean>,
  findHopeless: () => string | undefined = () => undefined,
): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS
  for (;;) {
    const isDone = await isTrue().catch(() => false)
    if (isDone) return
    const hopeless = findHopeless()
    if (hopeless !== undefined) throw new SdkError('ERR_CLUSTER', `${what} cannot happen: ${hopeless}`)
    if (Date.now() > deadline) throw new SdkError('ERR_CLUSTER', `${what} did not happen within ${START_LIMIT_MS / 1000} s`)
    await delay(POLL_MS)
  }
}

const isConnected = async (holder: Holder, index: number): Promise<boolean> => {
  const { agents } = await control<ClusterStatus>(holder, 'status')
  return agents.some((agent) => agent.ip === agentAt(holder, index).options.ip && agent.isConnected)
}

async function stopProcess(mark: ProcessMark | undefined): Promise<void> {
  if (mark === undefined) return
  killMarked(mark)
  await waitUntil(() => !isRunning(mark), END_LIMIT_MS)
}

/** Until the master has seen the connection break, an agent that comes back would be taken for the old one. */
const disconnected = (holder: Holder, index: number): Promise<void> =>
  waitFor(`the master noticing that agent ${index} is away`, async () => !(await isConnected(holder, index)))

/** A process that ended at once, for example because its port is taken. */
function findEnded(holder: Holder, index: number): string | undefined {
  const { master, agents } = recordOf(holder)
  const hasEnded = (mark: ProcessMark | undefined): boolean => mark !== undefined && !isRunning(mark)
  const name = hasEnded(master.mark) ? 'master' : hasEnded(agents[index]?.mark) ? `agent-${index + 1}` : undefined
  return name === undefined ? undefined : `its process ended; see ${join(holder.workDir, 'logs', `${name}.log`)}`
}

const registered = (holder: Holder, index: number): Promise<void> =>
  waitFor(
    `the registration of agent ${index}`,
    () => isConnected(holder, index),
    () => findEnded(holder, index),
  )

async function startAgent(holder: Holder, index: number): Promise<void> {
  launchAgent(holder, index)
  await registered(holder, index)
}

async function machineDown(holder: Holder, index: number): Promise<void> {
  const agent = agentAt(holder, index)
  await stopProcess(agent.mark)
  killWork(agent.options.directory)
  await disconnected(holder, index)
}

async function wipeAgent(holder: Holder, index: number): Promise<void> {
  await machineDown(holder, index)
  rmSync(agentAt(holder, index).options.directory, { recursive: true, force: true })
  await startAgent(holder, index)
}

async function failoverMaster(holder: Holder): Promise<void> {
  await stopProcess(recordOf(holder).master.mark)
  launchMaster(holder)
  const isUp = recordOf(holder).agents.map((agent) => agent.mark !== undefined && isRunning(agent.mark))
  for (const [index, isAgentUp] of isUp.entries()) {
    if (isAgentUp) await waitFor(`the return of agent ${index}`, () => isConnected(holder, index))
  }
}

async function close(holder: Holder): Promise<void> {
  const record = recordOf(holder)
  killAll(record)
  const isGone = await waitUntil(() => {
    // An executor may have been starting while its agent died.
    for (const agent of record.agents) killWork(agent.options.directory)
    return !hasProcesses(record)
  }, END_LIMIT_MS)
  if (!isGone) throw new SdkError('ERR_CLUSTER', `not all processes of the cluster in ${holder.workDir} ended`)
}

function listAgents(holder: Holder): LocalAgent[] {
  return recordOf(holder).agents.map(({ options, mark }, index) => {
    const id = readAgentState(options.directory)?.id
    const pid = mark !== undefined && isRunning(mark) ? mark.pid : undefined
    return {
      index,
      ip: options.ip,
      url: `http://${options.ip}:${options.port}`,
      directory: options.directory,
      ...(id === undefined ? {} : { id }),
      ...(pid === undefined ? {} : { pid }),
    }
  })
}

function listTasks(holder: Holder): LocalTask[] {
  return recordOf(holder).agents.flatMap(({ options }, agentIndex) => {
    const state = readAgentState(options.directory)
    return Object.values(state?.executors ?? {}).flatMap((executor) => {
      const executorPid = readExecutorMark(options.directory, executor.containerId)?.pid
      const live = readTaskRecords(options.directory, executor.containerId).filter(({ mark }) => isRunning(mark))
      return live.map(({ taskId, mark, sandbox, volumes }) => ({
        taskId,
        frameworkId: executor.framework.id,
        executorId: executor.executorId,
        agentIndex,
        pid: mark.pid,
        ...(executorPid === undefined ? {} : { executorPid }),
        sandbox,
        volumes,
      }))
    })
  })
}

const setPartition = async (holder: Holder, index: number, isCut: boolean): Promise<void> =>
  void (await control(holder, 'partition', { ip: agentAt(holder, index).options.ip, isCut }))

/** Agents of an earlier, larger cluster in this directory will never be back: the master must not wait for them. */
function forgetOtherAgents({ master, agents }: ClusterRecord): void {
  const file = registryFile(master.options.directory)
  const registry = readJson<MasterRegistry>(file)
  if (registry === undefined) return
  const known = registry.agents.filter(({ ip, port }) => agents.some(({ options }) => options.ip === ip && options.port === port))
  if (known.length < registry.agents.length) writeJson(file, { ...registry, agents: known })
}

export function buildHandle(
  workDir: string,
  record: ClusterRecord,
  isAttached: boolean,
): { readonly handle: LocalCluster; readonly startAll: () => Promise<void> } {
  const holder: Holder = { workDir, isAttached }
  const handle: LocalCluster = {
    masterUrl: masterUrlOf(record),
    workDir,
    agents: () => listAgents(holder),
    tasks: () => listTasks(holder),
    status: () => control(holder, 'status'),
    acceptedCalls: () => control(holder, 'accepted-calls'),
    stopAgent: async (index) => {
      await stopProcess(agentAt(holder, index).mark)
      await disconnected(holder, index)
    },
    startAgent: (index) => startAgent(holder, index),
    machineDown: (index) => machineDown(holder, index),
    machineUp: (index) => startAgent(holder, index),
    partition: (index) => setPartition(holder, index, true),
    heal: (index) => setPartition(holder, index, false),
    wipeAgent: (index) => wipeAgent(holder, index),
    failoverMaster: () => failoverMaster(holder),
    close: () => close(holder),
  }
  const startAll = async (): Promise<void> => {
    for (const agent of record.agents) mkdirSync(agent.options.directory, { recursive: true })
    // Calls are counted from the start of the cluster, whatever ran in this directory before.
    rmSync(acceptedCallsFile(record.master.options.directory), { force: true })
    forgetOtherAgents(record)
    launchMaster(holder)
    for (const index of record.agents.keys()) launchAgent(holder, index)
    for (const index of record.agents.keys()) await registered(holder, index)
  }
  return { handle, startAll }
}

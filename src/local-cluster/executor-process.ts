/**
 * The executor's process: task processes, sandboxes and probes around `mesos-model/executor`. It outlives its agent, keeps
 * what the agent has not taken yet, and gives up only when the agent stays away too long.
 */
import { randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Resource, TaskInfo } from '../mesos/messages.js'
import type { ExecutorEffect, ExecutorInput, ExecutorState } from '../mesos-model/executor-state.js'
import { createExecutor, nextExecutorTickAtMs, stepExecutor } from '../mesos-model/executor.js'
import type { AgentToExecutor, ExecutorToAgent } from '../mesos-model/protocol.js'
import { checkContainer, describeLeftOut, withRlimits, type Program } from './container.js'
import { writeExitStatus, writeTaskRecord } from './executor-files.js'
import { fetchUris } from './fetch-uris.js'
import { openLink } from './link.js'
import type { Link } from './link.js'
import type { ExecutorProcessOptions } from './options.js'
import { runCheck, runHealthCheck, shellArguments, withVariables } from './probes.js'
import type { ProbeContext } from './probes.js'
import { delay, markProcess, signalTree } from './processes.js'
import { linkContainerVolumes, linkVolumes } from './volumes.js'

const RECONNECT_MS = 100
const MAX_TIMER_MS = 60_000

interface ExecutorRuntime {
  readonly options: ExecutorProcessOptions
  state: ExecutorState
  agent?: Link<ExecutorToAgent> | undefined
  /** Leaders of the tasks' sessions. */
  readonly pids: Map<string, number>
  /** Tasks whose artifacts are being fetched: a kill must not wait for a server that hangs. */
  readonly fetching: Map<string, AbortController>
  timer?: NodeJS.Timeout | undefined
}

export async function runExecutor(options: ExecutorProcessOptions): Promise<void> {
  const state = createExecutor(options.isCommand, options.hasTaskKilling, options.containerId)
  const runtime: ExecutorRuntime = { options, state, pids: new Map(), fetching: new Map() }
  linkVolumes(options.workDir, options.resources as readonly Resource[], options.directory)
  process.on('SIGTERM', () => step(runtime, { type: 'agentLost' }))
  await keepConnected(runtime)
}

async function keepConnected(runtime: ExecutorRuntime): Promise<void> {
  const { agentUrl, key, recoveryTimeoutMs, hasCheckpoint } = runtime.options
  let lastSeenAtMs = Date.now()
  for (;;) {
    await new Promise<void>((resolve) => {
      const onClose = (): void => {
        runtime.agent = undefined
        lastSeenAtMs = Date.now()
        resolve()
      }
      const events = { onMessage: (message: AgentToExecutor) => step(runtime, { type: 'fromAgent', message }), onClose }
      openLink<AgentToExecutor, ExecutorToAgent>(
        `${agentUrl}/stateward-cluster/executor-link?executor=${encodeURIComponent(key)}`,
        events,
      )
        .then((link) => {
          runtime.agent = link
          step(runtime, { type: 'agentConnected' })
        })
        .catch(() => resolve())
    })
    if (!hasCheckpoint || Date.now() - lastSeenAtMs > recoveryTimeoutMs) {
      step(runtime, { type: 'agentLost' })
      if (!hasCheckpoint) return leave(runtime, 0)
    }
    await delay(RECONNECT_MS)
  }
}

function step(runtime: ExecutorRuntime, input: ExecutorInput): void {
  const result = stepExecutor(runtime.state, input, { atMs: Date.now(), uuid: randomUUID })
  runtime.state = result.state
  for (const effect of result.effects) apply(runtime, effect)
  clearTimeout(runtime.timer)
  const waitMs = Math.min(Math.max(nextExecutorTickAtMs(runtime.state) - Date.now(), 0), MAX_TIMER_MS)
  runtime.timer = setTimeout(() => step(runtime, { type: 'tick' }), waitMs)
}

function apply(runtime: ExecutorRuntime, effect: ExecutorEffect): void {
  switch (effect.type) {
    case 'startTask':
      return void startTask(runtime, effect.taskId, effect.containerId, effect.info)
    case 'signalTask': {
      const pid = runtime.pids.get(effect.taskId)
      if (pid !== undefined) signalTree(pid, effect.signal)
      runtime.fetching.get(effect.taskId)?.abort()
      return
    }
    case 'runCheck':
      return void probe(runtime, effect.taskId, async (task, context) => {
        const result = await runCheck(task, context)
        step(runtime, { type: 'checked', taskId: effect.taskId, result })
      })
    case 'runHealthCheck':
      return void probe(runtime, effect.taskId, async (task, context) => {
        const isHealthy = task.health_check !== undefined && (await runHealthCheck(task.health_check, context))
        step(runtime, { type: 'healthChecked', taskId: effect.taskId, isHealthy })
      })
    case 'toAgent':
      return runtime.agent?.send(effect.message)
    case 'exit':
      return leave(runtime, 0)
  }
}

function leave(runtime: ExecutorRuntime, code: number): void {
  for (const pid of runtime.pids.values()) signalTree(pid, 'SIGKILL')
  writeExitStatus(runtime.options.workDir, runtime.options.containerId, code << 8)
  process.exit(code)
}

async function probe(
  runtime: ExecutorRuntime,
  taskId: string,
  run: (task: TaskInfo, context: ProbeContext) => Promise<void>,
): Promise<void> {
  const task = runtime.state.tasks[taskId]
  if (task === undefined) return
  const sandbox = sandboxOfTask(runtime, task.containerId)
  await run(task.info, { sandbox, environment: withVariables(taskEnvironment(runtime, sandbox, task.info), task.info.command) })
}

/** A command task lives in its executor's sandbox, a group task in one of its own below it. */
const sandboxOfTask = ({ options }: ExecutorRuntime, containerId: string): string =>
  options.isCommand ? options.directory : join(options.directory, 'containers', containerId)

const PASSED_ON = ['PATH', 'LANG', 'HOME', 'TZ', 'JAVA_HOME', 'TMPDIR']

function taskEnvironment({ options }: ExecutorRuntime, sandbox: string, task: TaskInfo): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(
    PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
  const role = task.resources?.[0]?.allocation_info?.role
  const ofExecutor = {
    MESOS_FRAMEWORK_ID: options.frameworkId,
    MESOS_EXECUTOR_ID: options.executorId,
    MESOS_DIRECTORY: options.directory,
    MESOS_SLAVE_ID: options.agentId,
    MESOS_AGENT_ENDPOINT: options.agentUrl.replace('http://', ''),
    MESOS_CHECKPOINT: options.hasCheckpoint ? '1' : '0',
  }
  return {
    ...inherited,
    ...(options.isCommand ? ofExecutor : { MESOS_CONTAINER_IP: '127.0.0.1' }),
    MESOS_SANDBOX: sandbox,
    ...(role === undefined ? {} : { MESOS_ALLOCATION_ROLE: role }),
  }
}

async function prepareSandbox(runtime: ExecutorRuntime, sandbox: string, task: TaskInfo, signal: AbortSignal): Promise<string[]> {
  const { workDir, directory, resources } = runtime.options
  checkContainer(task)
  mkdirSync(sandbox, { recursive: true })
  const volumes = linkVolumes(workDir, task.resources, sandbox)
  if (!runtime.options.isCommand) linkVolumes(workDir, task.resources, directory)
  linkContainerVolumes(task.container, sandbox, directory)
  await fetchUris(task.command?.uris, sandbox, signal)
  const shared = linkVolumes(workDir, resources as readonly Resource[], directory)
  return [...volumes, ...shared]
}

async function startTask(runtime: ExecutorRuntime, taskId: string, containerId: string, task: TaskInfo): Promise<void> {
  const sandbox = sandboxOfTask(runtime, containerId)
  let volumes: string[]
  let program: Program
  const fetching = new AbortController()
  runtime.fetching.set(taskId, fetching)
  try {
    volumes = await prepareSandbox(runtime, sandbox, task, fetching.signal)
    program = await withRlimits(task.container, shellArguments(task.command ?? {}))
  } catch (error) {
    if (fetching.signal.aborted) return step(runtime, { type: 'taskEnded', taskId, end: { signal: 'SIGTERM' } })
    const message = `Failed to launch container: ${error instanceof Error ? error.message : String(error)}`
    return step(runtime, { type: 'taskNotStarted', taskId, message })
  } finally {
    runtime.fetching.delete(taskId)
  }
  // Killed while its artifacts were fetched: it never starts.
  if (runtime.state.tasks[taskId]?.phase === 'killing')
    return step(runtime, { type: 'taskEnded', taskId, end: { signal: 'SIGTERM' } })
  launchProcess(runtime, taskId, task, program, { sandbox, volumes })
}

function launchProcess(
  runtime: ExecutorRuntime,
  taskId: string,
  task: TaskInfo,
  program: Program,
  { sandbox, volumes }: { readonly sandbox: string; readonly volumes: readonly string[] },
): void {
  const stdout = openSync(join(sandbox, 'stdout'), 'a')
  const stderr = openSync(join(sandbox, 'stderr'), 'a')
  const { file, args, argv0 } = program
  const env = withVariables(taskEnvironment(runtime, sandbox, task), task.command)
  const message = describeLeftOut(task, runtime.options.container)
  const note = message === undefined ? {} : { message }
  const child = spawn(file, args, {
    cwd: sandbox,
    env,
    detached: true,
    stdio: ['ignore', stdout, stderr],
    ...(argv0 === undefined ? {} : { argv0 }),
  })
  closeSync(stdout)
  closeSync(stderr)
  const { pid } = child
  if (pid === undefined) {
    // A program that does not exist: RUNNING comes first, as on Mesos.
    child.once('error', () => step(runtime, { type: 'taskEnded', taskId, end: { code: 1 } }))
    return step(runtime, { type: 'taskStarted', taskId, pid: 0, ...note })
  }
  runtime.pids.set(taskId, pid)
  const mark = markProcess(pid)
  if (mark !== undefined)
    writeTaskRecord(runtime.options.workDir, runtime.options.containerId, { taskId, mark, sandbox, volumes })
  child.once('exit', (code, signal) => {
    // Nothing of the tree may outlive its task.
    signalTree(pid, 'SIGKILL')
    runtime.pids.delete(taskId)
    step(runtime, { type: 'taskEnded', taskId, end: signal === null ? { code: code ?? 0 } : { signal } })
  })
  step(runtime, { type: 'taskStarted', taskId, pid, ...note })
}

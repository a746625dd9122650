/**
 * The executors of one agent as processes: starting, watching and killing them, and their connections. A class, because
 * it owns processes and sockets; what it decides is nothing.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentExecutor } from '../mesos-model/agent-state.js'
import type { AgentToExecutor } from '../mesos-model/protocol.js'
import { readExecutorMark, readExitStatus, readTaskRecords, sandboxOf, writeExecutorMark } from './executor-files.js'
import type { Link } from './link.js'
import type { AgentProcessOptions, ExecutorProcessOptions } from './options.js'
import { isRunning, killMarkedTree, markProcess, spawnProcess } from './processes.js'

/** How often an executor that is nobody's child any more is looked at. */
const WATCH_MS = 100
/** Raw wait status of a process that was killed. */
const SIGKILL_STATUS = 9
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

type LinkSource = () => Link<AgentToExecutor>

export class ExecutorHost {
  private readonly links = new Map<string, LinkSource>()
  private readonly containers = new Map<string, string>()
  private readonly killed = new Set<string>()

  constructor(
    private readonly options: AgentProcessOptions,
    private readonly onEnded: (key: string, status: number) => void,
  ) {}

  start(executor: AgentExecutor, agentId: string): void {
    const { directory, ip, port, executorRecoveryTimeoutMs } = this.options
    const { key, executorId, containerId, framework, isCommand } = executor
    const sandbox = sandboxOf(directory, agentId, framework.id, executorId, containerId)
    mkdirSync(sandbox, { recursive: true })
    const processOptions: ExecutorProcessOptions = {
      directory: sandbox,
      workDir: directory,
      agentUrl: `http://${ip}:${port}`,
      agentId,
      key,
      frameworkId: framework.id,
      executorId,
      containerId,
      isCommand,
      hasTaskKilling: framework.hasTaskKilling,
      hasCheckpoint: framework.checkpoint,
      recoveryTimeoutMs: executorRecoveryTimeoutMs,
      resources: executor.info.resources ?? [],
      ...(executor.info.container === undefined ? {} : { container: executor.info.container }),
    }
    // Its output must not mix with that of a command task, whose sandbox it shares.
    const logFile = join(directory, 'meta', `executor-${containerId}.log`)
    const child = spawnProcess('executor', processOptions, { logFile, isDetached: true })
    this.containers.set(key, containerId)
    this.watchChild(key, containerId, child)
  }

  private watchChild(key: string, containerId: string, child: ChildProcess): void {
    const mark = child.pid === undefined ? undefined : markProcess(child.pid)
    if (mark !== undefined) writeExecutorMark(this.options.directory, containerId, mark)
    child.once('error', () => this.ended(key, containerId, -1))
    child.once('exit', (code, signal) =>
      this.ended(key, containerId, signal === null ? (code ?? 0) << 8 : (SIGNAL_NUMBERS[signal] ?? 9)),
    )
  }

  /** After a restart of the agent: executors are found by their marks and watched from afar. */
  recover(executors: readonly AgentExecutor[]): void {
    for (const { key, containerId } of executors) {
      this.containers.set(key, containerId)
      const mark = readExecutorMark(this.options.directory, containerId)
      const hasEnded = (): boolean => {
        if (mark !== undefined && isRunning(mark)) return false
        this.ended(key, containerId, this.killed.has(key) ? SIGKILL_STATUS : readExitStatus(this.options.directory, containerId))
        return true
      }
      // At once for those that are gone already: the agent is to know before it registers.
      if (hasEnded()) continue
      const timer = setInterval(() => {
        if (hasEnded()) clearInterval(timer)
      }, WATCH_MS)
    }
  }

  /** A container ends as a whole: tasks do not outlive their executor. */
  private ended(key: string, containerId: string, status: number): void {
    if (this.containers.get(key) !== containerId) return
    this.containers.delete(key)
    this.killTasks(containerId)
    this.links.get(key)?.().close()
    this.links.delete(key)
    this.onEnded(key, status)
  }

  private killTasks(containerId: string): void {
    for (const { mark } of readTaskRecords(this.options.directory, containerId)) killMarkedTree(mark)
  }

  kill(key: string): void {
    const containerId = this.containers.get(key)
    if (containerId === undefined) return
    this.killed.add(key)
    const mark = readExecutorMark(this.options.directory, containerId)
    if (mark !== undefined) killMarkedTree(mark)
    this.killTasks(containerId)
  }

  killAll(): void {
    for (const key of [...this.containers.keys()]) this.kill(key)
  }

  send(key: string, message: AgentToExecutor): void {
    this.links.get(key)?.().send(message)
  }

  connected(key: string, link: LinkSource): void {
    this.links.set(key, link)
  }

  disconnected(key: string, link: LinkSource): void {
    if (this.links.get(key) === link) this.links.delete(key)
  }
}

/** Checks and health checks of tasks (mesos-v1.md 4.5): a command in the sandbox, HTTP or TCP to 127.0.0.1. */
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import type { CheckStatusInfo, CommandInfo, HealthCheck, TaskInfo } from '../mesos/messages.js'
import { signalTree } from './processes.js'

const DEFAULT_TIMEOUT_SECONDS = 20

export interface ProbeContext {
  readonly sandbox: string
  readonly environment: NodeJS.ProcessEnv
}

export const shellArguments = (command: CommandInfo): { file: string; args: string[]; argv0?: string } => {
  if (command.shell ?? true) return { file: '/bin/sh', args: ['-c', command.value ?? ''] }
  const [argv0, ...args] = command.arguments ?? []
  return { file: command.value ?? '', args, ...(argv0 === undefined ? {} : { argv0 }) }
}

export const withVariables = (environment: NodeJS.ProcessEnv, command: CommandInfo | undefined): NodeJS.ProcessEnv => ({
  ...environment,
  ...Object.fromEntries((command?.environment?.variables ?? []).map((variable) => [variable.name, variable.value ?? ''])),
})

/** The exit code; undefined after a timeout or a signal. */
function runCommand(command: CommandInfo, context: ProbeContext, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const { file, args } = shellArguments(command)
    const child = spawn(file, args, {
      cwd: context.sandbox,
      env: withVariables(context.environment, command),
      stdio: 'ignore',
      detached: true,
    })
    const { pid } = child
    const timer = timeoutMs <= 0 || pid === undefined ? undefined : setTimeout(() => signalTree(pid, 'SIGKILL'), timeoutMs)
    const end = (code: number | null): void => {
      clearTimeout(timer)
      resolve(code ?? undefined)
    }
    child.once('error', () => end(null))
    child.once('exit', (code) => end(code))
  })
}

function connectTo(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (isConnected: boolean): void => {
      socket.destroy()
      resolve(isConnected)
    }
    if (timeoutMs > 0) socket.setTimeout(timeoutMs, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

async function httpStatus(url: string, timeoutMs: number): Promise<number | undefined> {
  try {
    const response = await fetch(url, timeoutMs > 0 ? { signal: AbortSignal.timeout(timeoutMs) } : {})
    await response.body?.cancel()
    return response.status
  } catch {
    return undefined
  }
}

const timeoutOf = (seconds: number | undefined): number => (seconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000

/** The payload of the check's kind, empty if there was no result in time. */
export async function runCheck(task: TaskInfo, context: ProbeContext): Promise<Omit<CheckStatusInfo, 'type'>> {
  const { check } = task
  const timeoutMs = timeoutOf(check?.timeout_seconds)
  if (check?.type === 'COMMAND' && check.command !== undefined) {
    const exitCode = await runCommand(check.command.command, context, timeoutMs)
    return { command: exitCode === undefined ? {} : { exit_code: exitCode } }
  }
  if (check?.type === 'TCP' && check.tcp !== undefined) return { tcp: { succeeded: await connectTo(check.tcp.port, timeoutMs) } }
  if (check?.type === 'HTTP' && check.http !== undefined) {
    const status = await httpStatus(`http://127.0.0.1:${check.http.port}${check.http.path ?? ''}`, timeoutMs)
    return { http: status === undefined ? {} : { status_code: status } }
  }
  return {}
}

export async function runHealthCheck(health: HealthCheck, context: ProbeContext): Promise<boolean> {
  const timeoutMs = timeoutOf(health.timeout_seconds)
  if (health.type === 'COMMAND' && health.command !== undefined)
    return (await runCommand(health.command, context, timeoutMs)) === 0
  if (health.type === 'TCP' && health.tcp !== undefined) return await connectTo(health.tcp.port, timeoutMs)
  const { http } = health
  if (health.type !== 'HTTP' || http === undefined) return false
  const status = await httpStatus(`${http.scheme ?? 'http'}://127.0.0.1:${http.port}${http.path ?? ''}`, timeoutMs)
  return status !== undefined && status >= 200 && status < 400
}

/** The scheduler as a process: starting it, ending it, and what it says on HTTP and in its log. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { renderPlans, type ServiceStatus } from 'stateward'
import type { ToySettings } from './toy-service.js'
import { until } from './until.js'

const root = join(import.meta.dirname, '../../..')
const program = join(import.meta.dirname, 'toy-service.ts')
const shownLines = 40
const warnLevel = 40

export interface LogLine {
  /** As pino counts: 30 info, 40 warn, 50 error. */
  readonly level: number
  readonly msg: string
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface SchedulerProgram {
  log(): LogLine[]
  /** Warnings and errors of its log. */
  complaints(): string[]
  stderr(): string
  /** Base URL of its HTTP API, once it serves. */
  url(): Promise<string>
  /** Undefined as long as it does not lead or does not answer. */
  status(): Promise<ServiceStatus | undefined>
  request(method: 'GET' | 'POST', path: string): Promise<{ readonly code: number; readonly body: unknown }>
  /** The first status of which the test is true. */
  untilStatus(what: string, test: (status: ServiceStatus) => boolean): Promise<ServiceStatus>
  /** The first line of the log that matches. */
  untilLog(pattern: RegExp): Promise<LogLine>
  readonly exited: Promise<Exit>
  /** The process is held as it is, as by a machine that sleeps; `thaw` lets it go on. */
  freeze(): void
  thaw(): void
  /** Sends the signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<Exit>
}

export function startScheduler(settings: ToySettings): SchedulerProgram {
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(settings)], { cwd: root })
  let stdout = ''
  let stderr = ''
  let ended: Exit | undefined
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve((ended = { code, signal })))
  })

  const log = (): LogLine[] => {
    const complete = stdout.slice(0, stdout.lastIndexOf('\n') + 1)
    return complete.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as LogLine]))
  }
  const explain = async (): Promise<string> => {
    const status = await read()
    const lines = log().map(({ level, msg }) => `${level} ${msg}`)
    const end = ended === undefined ? [] : [`ended with code ${ended.code}, signal ${ended.signal}`]
    return [...lines.slice(-shownLines), stderr, ...end, status === undefined ? 'no status' : renderPlans(status)].join('\n')
  }
  const aliveUntil = <T>(what: string, probe: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> =>
    until(
      what,
      async () => {
        const value = await probe()
        if (ended !== undefined && (value === undefined || value === false))
          throw new Error(`${what}: the scheduler has ended\n${await explain()}`)
        return value
      },
      explain,
    )
  const findUrl = (): string | undefined => /"HTTP API on (http:[^"]+)"/.exec(stdout)?.[1]
  const read = async (): Promise<ServiceStatus | undefined> => {
    const base = findUrl()
    if (base === undefined) return undefined
    const response = await fetch(`${base}/v1/status`).catch(() => undefined)
    return response?.ok === true ? ((await response.json()) as ServiceStatus) : undefined
  }
  const url = (): Promise<string> => aliveUntil('the address of the HTTP API', findUrl)

  return {
    log,
    complaints: () =>
      log()
        .filter(({ level }) => level >= warnLevel)
        .map(({ msg }) => msg),
    stderr: () => stderr,
    url,
    status: read,
    async request(method, path) {
      const response = await fetch(`${await url()}${path}`, { method })
      return { code: response.status, body: await response.json() }
    },
    untilStatus: (what, test) =>
      aliveUntil(what, async () => {
        const status = await read()
        return status !== undefined && test(status) && status
      }),
    untilLog: (pattern) => aliveUntil(`a line like ${pattern.source}`, () => log().find(({ msg }) => pattern.test(msg))),
    exited,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async end(signal) {
      child.kill(signal)
      return exited
    },
  }
}

/** The scheduler as a process: starting it, ending it, and what it says on HTTP and in its log. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { Leadership, ServiceStatus } from 'stateward'
import { renderPlans } from '../../../src/scheduler/render-plans.js'
import type { ToySettings } from './toy-spec.js'
import { until } from './until.js'

const root = join(import.meta.dirname, '../../..')
const toyService = new URL('./toy-service.ts', import.meta.url).pathname
const shownLines = 40
/** A process that stands still accepts connections and never answers. */
const answerLimitMs = 5_000
const warnLevel = 40

export interface LogLine {
  /** As pino counts: 30 info, 40 warn, 50 error. */
  readonly level: number
  /** Epoch milliseconds. */
  readonly time: number
  readonly msg: string
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface SchedulerProgram {
  readonly pid: number
  log(): LogLine[]
  /** Warnings and errors of its log. */
  complaints(): string[]
  stderr(): string
  /** Base URL of its HTTP API, once it serves. */
  url(): Promise<string>
  /** Undefined as long as it does not lead or does not answer. */
  status(): Promise<ServiceStatus | undefined>
  /** Undefined as long as it does not answer. */
  leadership(): Promise<Leadership | undefined>
  /** The first moment at which it is that. */
  untilRole(role: Leadership['role']): Promise<Leadership>
  request(method: 'GET' | 'POST', path: string): Promise<{ readonly code: number; readonly body: unknown }>
  /** The first status of which the test is true. */
  untilStatus(what: string, test: (status: ServiceStatus) => boolean): Promise<ServiceStatus>
  /** The first line of the log that matches. */
  untilLog(pattern: RegExp): Promise<LogLine>
  readonly exited: Promise<Exit>
  /** The process is held as it is, as by a machine that sleeps; `thaw` lets it go on. */
  freeze(): void
  thaw(): void
  /** Writes a line to its standard input, for a program that reads it. */
  tell(line: string): void
  /** Sends the signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<Exit>
}

export function startScheduler(settings: ToySettings, program = toyService): SchedulerProgram {
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(settings)], { cwd: root })
  const { pid = 0 } = child
  endWithThisProcess(pid, child)
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
  const ask = async <T>(path: string): Promise<T | undefined> => {
    const base = findUrl()
    if (base === undefined) return undefined
    const response = await fetch(`${base}${path}`, { signal: AbortSignal.timeout(answerLimitMs) }).catch(() => undefined)
    return response?.ok === true ? ((await response.json()) as T) : undefined
  }
  const read = (): Promise<ServiceStatus | undefined> => ask('/v1/status')
  const leadership = (): Promise<Leadership | undefined> => ask('/v1/leadership')
  const url = (): Promise<string> => aliveUntil('the address of the HTTP API', findUrl)

  return {
    pid,
    log,
    complaints: () =>
      log()
        .filter(({ level }) => level >= warnLevel)
        .map(({ msg }) => msg),
    stderr: () => stderr,
    url,
    status: read,
    leadership,
    untilRole: (role) =>
      aliveUntil(`the role of ${role}`, async () => {
        const present = await leadership()
        return present?.role === role && present
      }),
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
    tell: (line) => void child.stdin.write(`${line}\n`),
    async end(signal) {
      child.kill(signal)
      return exited
    },
  }
}

/** A process that stands still does not see that this one is gone, so somebody else has to end it then. */
function endWithThisProcess(pid: number, child: ChildProcess): void {
  const guard = spawn('sh', ['-c', 'read line; kill -9 "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.once('exit', () => guard.kill('SIGKILL'))
}

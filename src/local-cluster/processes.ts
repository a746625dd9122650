/**
 * Processes of the local cluster: starting them, and ending exactly those that were meant. A remembered pid is trusted
 * only together with its start time, because pids are used again.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A process that can be told from a later one with the same pid. */
export interface ProcessMark {
  readonly pid: number
  /** In clock ticks since boot, from /proc. */
  readonly startTime: string
}

interface ProcessStat {
  readonly pid: number
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly startTime: string
}

function readStat(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The name is in parentheses and may hold anything, blanks included.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const at = (index: number): string => fields[index] ?? ''
  return { pid, state: at(0), parent: Number(at(1)), group: Number(at(2)), session: Number(at(3)), startTime: at(19) }
}

export function markProcess(pid: number): ProcessMark | undefined {
  const stat = readStat(pid)
  return stat === undefined ? undefined : { pid, startTime: stat.startTime }
}

/** A zombie counts as ended: only its parent has yet to notice. */
export function isRunning(mark: ProcessMark): boolean {
  const stat = readStat(mark.pid)
  return stat !== undefined && stat.startTime === mark.startTime && stat.state !== 'Z'
}

/** The process, all its descendants, and whoever shares its session or group. */
function listTree(root: number): ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined)
  const tree = new Map<number, ProcessStat>()
  const pending = all.filter((stat) => stat.pid === root || stat.session === root || stat.group === root)
  for (let stat = pending.pop(); stat !== undefined; stat = pending.pop()) {
    if (tree.has(stat.pid)) continue
    tree.set(stat.pid, stat)
    const { pid } = stat
    pending.push(...all.filter((other) => other.parent === pid))
  }
  return [...tree.values()].filter((stat) => stat.state !== 'Z')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended by itself meanwhile.
  }
}

/** Signals a session leader and everything below it; the leader may have ended already. Returns how many were meant. */
export function signalTree(leader: number, name: NodeJS.Signals): number {
  // Kernel threads have session 0, everything descends from 1.
  if (leader <= 1) return 0
  const tree = listTree(leader)
  for (const stat of tree) signal(stat.pid, name)
  return tree.length
}

/** Ends a remembered process and its tree, if it is still the same one. */
export function killMarkedTree(mark: ProcessMark): void {
  const stat = readStat(mark.pid)
  // A session without its leader can still be found by its number, unless the pid was given away anew.
  if (stat === undefined || stat.startTime === mark.startTime) signalTree(mark.pid, 'SIGKILL')
}

export function killMarked(mark: ProcessMark, name: NodeJS.Signals = 'SIGKILL'): void {
  if (isRunning(mark)) signal(mark.pid, name)
}

export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until `isTrue`; false if `limitMs` passed first. */
export async function waitUntil(isTrue: () => boolean, limitMs: number): Promise<boolean> {
  const deadline = Date.now() + limitMs
  while (!isTrue()) {
    if (Date.now() > deadline) return false
    await delay(20)
  }
  return true
}

export type ProcessKind = 'master' | 'agent' | 'executor'

/** The command line of a process of this kind: the built CLI, or the sources by way of tsx. */
function commandLine(kind: ProcessKind, options: object): string[] {
  const argument = JSON.stringify(options)
  if (import.meta.url.endsWith('.ts'))
    return ['--import', 'tsx', fileURLToPath(new URL('./run-process.ts', import.meta.url)), kind, argument]
  return [fileURLToPath(new URL('./cli.js', import.meta.url)), 'cluster', `run-${kind}`, argument]
}

export interface SpawnOptions {
  readonly logFile: string
  /** Outlives the process that starts it; otherwise it ends with the pipe to its starter. */
  readonly isDetached: boolean
  readonly directory?: string
}

/** Starts a process of the cluster in a session of its own. */
export function spawnProcess(kind: ProcessKind, options: object, how: SpawnOptions): ChildProcess {
  const log = openSync(how.logFile, 'a')
  try {
    const child = spawn(process.execPath, commandLine(kind, options), {
      detached: true,
      stdio: [how.isDetached ? 'ignore' : 'pipe', log, log],
      ...(how.directory === undefined ? {} : { cwd: how.directory }),
    })
    if (how.isDetached) child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

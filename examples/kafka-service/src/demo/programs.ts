/**
 * The two programs the demo starts, each a process of its own: the local cluster (ZooKeeper, master, agents), and the scheduler,
 * which is killed and started again while the cluster's tasks go on.
 */
import { spawn } from 'node:child_process'
import { existsSync, openSync, closeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { birthOf, signal, waitUntilGone } from './processes.js'
import { exampleFolder, workFolder } from './work-folder.js'

export interface Program {
  readonly pid: number
  readonly born: string
  readonly logFile: string
}

/** What the cluster program writes once everything answers. */
export interface ClusterAddresses {
  readonly masterUrl: string
  readonly zookeeper: string
}

const clusterLimitMs = 120_000
/** A scheduler that was killed keeps its lock for so long. */
const storeSessionMs = 5_000
const stopLimitMs = 20_000
const pollMs = 100

export const clusterFile = `${workFolder}/cluster.json`

/** Runs a TypeScript program of this example in the work folder, its output in `<name>.log`, on after this process ends. */
function startProgram(name: string, file: string, args: readonly string[]): Program {
  const logFile = `${workFolder}/${name}.log`
  const log = openSync(logFile, 'a')
  try {
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), `${exampleFolder}${file}`, ...args], {
      cwd: workFolder,
      detached: true,
      stdio: ['ignore', log, log],
    })
    child.unref()
    const born = child.pid === undefined ? undefined : birthOf(child.pid)
    if (child.pid === undefined || born === undefined) throw new Error(`${file} did not start; its output is in ${logFile}`)
    return { pid: child.pid, born, logFile }
  } finally {
    closeSync(log)
  }
}

export async function startCluster(abort: AbortSignal): Promise<ClusterAddresses> {
  const program = startProgram('cluster', 'src/demo/cluster-process.ts', [workFolder])
  const end = Date.now() + clusterLimitMs
  while (!existsSync(clusterFile)) {
    abort.throwIfAborted()
    const isOver = birthOf(program.pid) !== program.born
    if (isOver || Date.now() > end) {
      throw new Error(`the local cluster did not start; ${program.logFile} ends with:\n${await lastLines(program.logFile)}`)
    }
    await sleep(pollMs)
  }
  return JSON.parse(await readFile(clusterFile, 'utf8')) as ClusterAddresses
}

export interface SchedulerOptions {
  readonly cluster: ClusterAddresses
  readonly httpPort: number
  readonly kafkaLibs: string
  readonly brokerSettings?: readonly string[]
}

export function startScheduler(options: SchedulerOptions): Program {
  return startProgram('scheduler', 'src/main.ts', [
    ...['--small', '--kafka-libs', options.kafkaLibs],
    ...['--cluster', options.cluster.masterUrl, '--store', `zk://${options.cluster.zookeeper}/stateward`],
    ...['--port', String(options.httpPort), '--store-session-ms', String(storeSessionMs)],
    ...(options.brokerSettings ?? []).flatMap((setting) => ['--broker-setting', setting]),
  ])
}

/** Asks a program to end, and waits for it. @throws when it does not */
export async function stopProgram(program: Program): Promise<void> {
  signal(program, 'SIGTERM')
  if (await waitUntilGone(program, stopLimitMs)) return
  throw new Error(
    `process ${String(program.pid)} did not end within ${String(stopLimitMs / 1000)} s of SIGTERM; see ${program.logFile}`,
  )
}

export async function killProgram(program: Program): Promise<void> {
  signal(program, 'SIGKILL')
  await waitUntilGone(program, stopLimitMs)
}

export async function lastLines(file: string, count = 15): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-count).join('\n')
}

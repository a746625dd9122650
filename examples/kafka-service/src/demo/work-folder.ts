/**
 * Everything of the demo is in one folder, so that what is left of it can be found: files, and processes that run in it or name
 * it. Remains of a run that was killed are ended before the next one starts.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  birthOf,
  isAlive,
  isListening,
  type Listener,
  listenersOf,
  type OwnProcess,
  processesOf,
  signal,
  waitUntilGone,
} from './processes.js'

/** In the example's folder, out of the way of tools that look at sources; or where the environment says. */
export const workFolder = resolve(
  process.env['STATEWARD_DEMO_DIR'] ?? fileURLToPath(new URL('../../.cache/demo', import.meta.url)),
)
export const exampleFolder = fileURLToPath(new URL('../..', import.meta.url))

const graceMs = 12_000
const killMs = 5_000

/** One demo at a time: another one that is at work is not to be taken for remains. @throws when there is one */
export async function refuseSecondDemo(): Promise<void> {
  const text = await readFile(`${workFolder}/demo.pid`, 'utf8').catch(() => '')
  const [pid = '', born = ''] = text.split(' ')
  if (pid !== '' && isAlive({ pid: Number(pid), born })) {
    throw new Error(`the demo runs already in ${workFolder}, as process ${pid}; wait for it, or stop it with Ctrl-C`)
  }
}

export async function prepareWorkFolder(): Promise<void> {
  await rm(workFolder, { recursive: true, force: true })
  await mkdir(workFolder, { recursive: true })
  await writeFile(`${workFolder}/demo.pid`, `${String(process.pid)} ${birthOf(process.pid) ?? ''}`)
  await writeFile(
    `${workFolder}/README`,
    'Made by the Kafka demo and deleted by its next run. Stop what still runs with: npm run demo -- --stop\n',
  )
}

export interface Leftovers {
  readonly processes: readonly OwnProcess[]
  readonly listeners: readonly Listener[]
}

/**
 * Ends every process of the work folder: first the scheduler, so that it brings nothing back, then the cluster, which ends its
 * agents and their tasks, then whoever is left. The tasks' data is of no use any more, so nobody waits for Kafka to hand over.
 */
export async function endProcesses(say: (line: string) => void): Promise<Leftovers> {
  const before = processesOf(workFolder)
  const listeners = listenersOf(before)
  if (before.length > 0) say(`ending ${String(before.length)} processes`)
  for (const program of ['/src/main.ts', '/cluster-process.ts']) {
    const own = before.filter((candidate) => candidate.command.includes(program))
    for (const one of own) signal(one, 'SIGTERM')
    await waitForAll(own, graceMs)
  }
  const late = processesOf(workFolder)
  for (const own of late) signal(own, 'SIGKILL')
  await waitForAll(late, killMs)
  return {
    processes: [...before.filter(isAlive), ...processesOf(workFolder)],
    listeners: listeners.filter(isListening),
  }
}

async function waitForAll(processes: readonly OwnProcess[], limitMs: number): Promise<void> {
  const end = Date.now() + limitMs
  for (const own of processes) await waitUntilGone(own, Math.max(0, end - Date.now()))
}

export async function removeWorkFolder(): Promise<void> {
  if (existsSync(workFolder)) await rm(workFolder, { recursive: true, force: true })
}

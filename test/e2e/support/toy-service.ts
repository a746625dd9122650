/**
 * The program under test, a process of its own: the scheduler of a toy service whose every task leaves traces in its volume.
 * Settings come as JSON in the only argument. It ends with the process that started it.
 */
import { readFile } from 'node:fs/promises'
import { createScheduler, parseSpec, type Hook, type SchedulerOptions } from 'stateward'
import { toySpec, type ToySettings } from './toy-spec.js'

const mayGoOn =
  (gateFile: string): Hook =>
  async () => {
    const [word, ...reason] = (await readFile(gateFile, 'utf8')).trim().split(' ')
    return { open: word === 'open', reason: reason.join(' ') }
  }

const optionsOf = ({
  cluster,
  store,
  gateFile,
  httpPort = 0,
  standby = false,
  sessionTimeoutMs = 4_000,
}: ToySettings): SchedulerOptions => ({
  cluster,
  store,
  standby,
  hooks: { mayGoOn: mayGoOn(gateFile) },
  http: { port: httpPort },
  storeSessionTimeoutMs: sessionTimeoutMs,
  tickMs: 100,
})

async function main(): Promise<void> {
  // No process is left behind when a test run is killed. Unreferenced, so that it does not keep this one alive.
  process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGKILL'))
  ;(process.stdin as unknown as { unref(): void }).unref()
  const settings = JSON.parse(process.argv[2] ?? '{}') as ToySettings
  const scheduler = await createScheduler(parseSpec(toySpec(settings)), optionsOf(settings))
  await scheduler.run()
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

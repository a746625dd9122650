/** The scheduler of forty small pods as a process. Settings come as JSON in the only argument; it ends with the process that started it. */
import { createScheduler, parseSpec } from 'stateward'
import type { ToySettings } from '../../e2e/support/toy-spec.js'
import { stepsSpec } from './steps-spec.js'

async function main(): Promise<void> {
  process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGKILL'))
  ;(process.stdin as unknown as { unref(): void }).unref()
  const { cluster, store, version = '1', sessionTimeoutMs = 3_000 } = JSON.parse(process.argv[2] ?? '{}') as ToySettings
  const scheduler = await createScheduler(parseSpec(stepsSpec(version)), {
    cluster,
    store,
    // Its predecessor was killed: the lock is free when that one's session is over.
    standby: true,
    http: { port: 0 },
    storeSessionTimeoutMs: sessionTimeoutMs,
    tickMs: 100,
  })
  await scheduler.run()
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

/**
 * The scheduler of the toy service as a process that can be told, on its standard input, at which commit to stop itself. The
 * product knows nothing of this: the store is handed to it by its public option.
 */
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { createScheduler } from '../../../src/runtime/create-scheduler.js'
import { parseSpec } from '../../../src/spec/parse.js'
import { createZooKeeperStore } from '../../../src/store/zookeeper-store.js'
import { toySpec, type ToySettings } from '../../e2e/support/toy-spec.js'
import { createHaltingStore, type Halt } from './halting-store.js'

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '{}') as ToySettings
  const { cluster, store, sessionTimeoutMs = 3_000 } = settings
  const logger = pino()
  const spec = parseSpec(toySpec(settings))
  const connect = { connect: store, service: spec.name, sessionTimeoutMs, connectLimitMs: sessionTimeoutMs, logger }
  const halting = createHaltingStore(createZooKeeperStore(connect))
  // No process is left behind when a run is killed. Unreferenced, so that it does not keep this one alive.
  createInterface({ input: process.stdin })
    .on('line', (line) => halting.arm(JSON.parse(line) as Halt))
    .once('close', () => process.kill(process.pid, 'SIGKILL'))
  ;(process.stdin as unknown as { unref(): void }).unref()
  const scheduler = await createScheduler(spec, {
    cluster,
    store: halting.store,
    standby: true,
    hooks: { mayGoOn: () => Promise.resolve({ open: true, reason: 'always' }) },
    http: { port: 0 },
    logger,
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

/**
 * The demo: Kafka on three agents of a local cluster, what happens when its processes are killed, and the proof that no data was
 * copied. With `KEEP=1` it is left running, also after a failure; `--stop` ends what was left. It succeeds only if every check
 * held and nothing stays behind.
 */
import type { Demo } from './demo.js'
import { heading, say } from './display.js'
import { freePort, installKafka } from './install.js'
import { lastLines, startCluster, startScheduler } from './programs.js'
import { Report, renderReport } from './report.js'
import { brokersOf, clientEndpoint, readStatus } from './status.js'
import { crashScheduler } from './step-crash.js'
import { deploy, write } from './step-deploy.js'
import { readBack } from './step-read-back.js'
import { proofMustFail, recoverInPlace } from './step-recover.js'
import { roll } from './step-roll.js'
import { endProcesses, type Leftovers, prepareWorkFolder, refuseSecondDemo, removeWorkFolder, workFolder } from './work-folder.js'

const interruptedCode = 130

async function main(): Promise<number> {
  await refuseSecondDemo()
  if (process.argv.includes('--stop')) return stop()
  const abort = new AbortController()
  let isInterrupted = false
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      isInterrupted = true
      abort.abort(new Error(`interrupted by ${name}`))
    })
  }
  // What nobody waits for any more must not end the process before it has cleaned up.
  process.on('uncaughtException', (error) => abort.abort(error))
  process.on('unhandledRejection', (error) => abort.abort(error))
  const report = new Report(say)
  let failure: string | undefined
  let demo: Demo | undefined
  try {
    demo = await setUp(report, abort.signal)
    await runSteps(demo)
  } catch (error) {
    // Whatever was under way when the demo was aborted fails too; why it was aborted is the news.
    failure = describe(abort.signal.aborted ? abort.signal.reason : error)
  }
  if (process.env['KEEP'] === '1' && demo !== undefined && !isInterrupted) await explainKept(demo)
  else await cleanUp(report, failure === undefined)
  process.stdout.write(`\n${renderReport(report.rows)}\n\n`)
  const failed = report.rows.filter((row) => !row.held).length
  const total = String(report.rows.length)
  const outcome = failed === 0 ? `all ${total} checks held` : `${String(failed)} of ${total} checks did not hold`
  say(failure === undefined ? outcome : `the demo broke off: ${failure}`)
  if (isInterrupted) return interruptedCode
  return failure === undefined && report.held ? 0 : 1
}

async function setUp(report: Report, abort: AbortSignal): Promise<Demo> {
  heading('set-up')
  await endProcesses(say)
  await prepareWorkFolder()
  const kafkaLibs = await installKafka(say)
  const cluster = await startCluster(abort)
  say(`ZooKeeper on ${cluster.zookeeper}, Mesos master on ${cluster.masterUrl}, three agents`)
  const httpPort = await freePort()
  const scheduler = startScheduler({ cluster, httpPort, kafkaLibs })
  say(`the Kafka scheduler runs as process ${String(scheduler.pid)}, status on http://127.0.0.1:${String(httpPort)}/v1/status`)
  return { report, cluster, kafkaLibs, httpPort, abort, scheduler }
}

async function runSteps(demo: Demo): Promise<void> {
  for (const [name, title, step] of steps) {
    demo.abort.throwIfAborted()
    heading(title)
    demo.report.beginStep(name)
    await step(demo)
  }
}

const killed = 'broker-0'
const emptied = 'broker-1'
const crashed = 'broker-2'

/** Short name for the table, sentence for the reader, work. */
const steps: readonly (readonly [string, string, (demo: Demo) => Promise<void>])[] = [
  ['deploy', 'deploy: three controllers together, then three brokers one by one', deploy],
  ['write', 'write records of known content', write],
  ['recover', `kill ${killed}; it must come back on its own data`, (demo) => recoverInPlace(demo, killed)],
  ['control', `the same proof on ${emptied} with an emptied volume; it must fail`, (demo) => proofMustFail(demo, emptied)],
  ['crash', `kill ${crashed}, and the scheduler in the middle of its recovery`, (demo) => crashScheduler(demo, crashed)],
  ['roll', 'roll a changed setting over the brokers while a producer writes', roll],
  ['read', `read everything back, also from ${killed} alone`, (demo) => readBack(demo, killed)],
]

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Ends everything, and makes "nothing is left" a check like the others. */
async function cleanUp(report: Report, isComplete: boolean): Promise<void> {
  heading('clean-up')
  report.beginStep('clean-up')
  const isGood = isComplete && report.held
  if (!isGood) say(`the scheduler's log ends with:\n${await lastLines(`${workFolder}/scheduler.log`)}`)
  const left = await endProcesses(say)
  report.check('processes left', '0', String(left.processes.length))
  report.check('ports left open', '0', String(left.listeners.length))
  sayLeftovers(left)
  if (isGood && report.held) await removeWorkFolder()
  else say(`logs and sandboxes are kept in ${workFolder}`)
}

function sayLeftovers({ processes, listeners }: Leftovers): void {
  for (const own of processes) say(`left: process ${String(own.pid)} ${own.command.slice(0, 120)}`)
  for (const { address, port } of listeners) say(`left: ${address}:${String(port)}`)
}

/** Where to look at what goes on running. */
async function explainKept({ cluster, httpPort }: Demo): Promise<void> {
  heading('left running (KEEP=1)')
  const brokers = await readStatus(httpPort).then(
    (status) => brokersOf(status).map(clientEndpoint),
    () => [],
  )
  say(`plans and instances: curl http://127.0.0.1:${String(httpPort)}/v1/status`)
  say(`Mesos master: ${cluster.masterUrl}, ZooKeeper: ${cluster.zookeeper}`)
  say(`Kafka clients: bootstrap.servers=${brokers.map(({ host, port }) => `${host}:${String(port)}`).join(',')}`)
  say(`files, sandboxes and logs: ${workFolder}`)
  say('stop it with: npm run demo -- --stop')
}

async function stop(): Promise<number> {
  const left = await endProcesses(say)
  sayLeftovers(left)
  if (left.processes.length + left.listeners.length > 0) return 1
  await removeWorkFolder()
  say('nothing of the demo runs any more')
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${describe(error)}\n`)
  process.exitCode = 1
}

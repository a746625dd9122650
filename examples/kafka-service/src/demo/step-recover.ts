/**
 * A killed broker comes back on its own data, and the proof of it; then the same proof on a broker whose volume was emptied while
 * no scheduler ran, where it must fail.
 */
import { spawn } from 'node:child_process'
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServiceStatus } from 'stateward'
import { withAdmin } from '../cluster-view.js'
import { type Demo, followRecovery, gatherEvidence, killBroker, placeOf, processOf, startSchedulerAgain, topic } from './demo.js'
import { say } from './display.js'
import { stopProgram } from './programs.js'
import { type Proof, proveNothingCopied } from './proof.js'
import { brokersOf, clientEndpoint, instanceOf, readStatus } from './status.js'
import { exampleFolder, workFolder } from './work-folder.js'

const leaveLimitMs = 30_000

export async function recoverInPlace(demo: Demo, name: string): Promise<void> {
  const status = await readStatus(demo.httpPort)
  const before = await gatherEvidence(demo, status, name)
  const killedAtMs = Date.now()
  await killBroker(processOf(status, name), name)
  const after = await followRecovery(demo, name, before.taskId)
  say(`${name} is back in sync ${((Date.now() - killedAtMs) / 1000).toFixed(1)} s after the kill`)
  const proof = proveNothingCopied(topic, before, await gatherEvidence(demo, after, name))
  for (const check of proof.checks) demo.report.check(check.name, check.expected, check.found, check.held)
}

export async function proofMustFail(demo: Demo, name: string): Promise<void> {
  const status = await readStatus(demo.httpPort)
  const before = await gatherEvidence(demo, status, name)
  const own = processOf(status, name)
  const { volume } = await placeOf(own)
  await stopProgram(demo.scheduler)
  say('the scheduler is stopped; nobody brings the broker back')
  await killBroker(own, name)
  await waitUntilUnlisted(demo, status, name)
  await emptyAndFormat(demo, status, name, volume)
  startSchedulerAgain(demo)
  const after = await followRecovery(demo, name, before.taskId)
  const proof = proveNothingCopied(topic, before, await gatherEvidence(demo, after, name))
  reportFailedProof(demo, proof)
}

/** Each of the three signals alone must give the copy away; otherwise the one that does may be the only one that works. */
function reportFailedProof(demo: Demo, proof: Proof): void {
  demo.report.check('the proof on an emptied volume', 'fails', proof.held ? 'holds' : 'fails')
  for (const check of proof.checks) {
    if (!/segments|fetching|loaded/.test(check.name)) continue
    demo.report.check(`not so here: ${check.name}`, `not ${check.expected}`, check.found, !check.held)
  }
}

/**
 * A broker that returns empty while it still counts as in sync can cost acknowledged records. It counts until its session has
 * ended, which takes it from the list.
 */
async function waitUntilUnlisted(demo: Demo, status: ServiceStatus, name: string): Promise<void> {
  const others = brokersOf(status).filter((broker) => broker.name !== name)
  const id = instanceOf(status, name).index
  const end = Date.now() + leaveLimitMs
  while (Date.now() < end) {
    demo.abort.throwIfAborted()
    // A client that hears of the dead broker may ask it, and fails; the next one is made anew.
    const cluster = await withAdmin(others.map(clientEndpoint), (admin) => admin.describeCluster()).catch(() => undefined)
    if (cluster !== undefined && !cluster.brokers.some((broker) => broker.nodeId === id)) {
      say(`${name} has left the list of brokers`)
      return
    }
    await sleep(300)
  }
  throw new Error(`${name} was still listed ${String(leaveLimitMs / 1000)} s after it was killed`)
}

async function emptyAndFormat(demo: Demo, status: ServiceStatus, name: string, volume: string): Promise<void> {
  const instance = instanceOf(status, name)
  for (const entry of await readdir(volume)) await rm(`${volume}/${entry}`, { recursive: true })
  const folder = `${workFolder}/format-${name}`
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  await cp(`${exampleFolder}tasks`, folder, { recursive: true })
  const controllers = status.instances.filter((candidate) => candidate.pod === 'controller')
  const voters = controllers.map((controller) => {
    const { host, port } = clientEndpoint(controller)
    return `300${String(controller.index)}@${host}:${String(port)}`
  })
  await run('./format.sh', folder, {
    JAVA: 'java',
    KAFKA_LIBS: demo.kafkaLibs,
    VOLUME: volume,
    ROLE: 'broker',
    NODE_ID: String(instance.index),
    ADDRESS: instance.address ?? '',
    CLUSTER_ID: status.values['clusterId'] ?? '',
    VOTERS: voters.join(','),
  })
  say(`the volume of ${name} was emptied and formatted with the stored cluster id`)
}

function run(command: string, cwd: string, env: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.on('error', reject)
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${String(code)}: ${errors}`))))
  })
}

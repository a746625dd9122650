/**
 * A real ensemble of three ZooKeeper servers loses its leader during deployments, a follower, and its majority for longer than
 * a session lasts. The service is deployed and repaired all the same, nothing is launched twice, and the scheduler's
 * leadership ends only where its session did.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalCluster } from '../../src/local-cluster/cluster-handle.js'
import type { AcceptedCall } from '../../src/local-cluster/master-control.js'
import { startLocalCluster } from '../../src/local-cluster/start.js'
import { startZooKeeperEnsemble, type ZooKeeperEnsemble } from '../../src/local-cluster/zookeeper-ensemble.js'
import type { ZooKeeperServer } from '../../src/local-cluster/zookeeper.js'
import { startScheduler, type SchedulerProgram } from '../e2e/support/scheduler-program.js'
import { linesOf, placeOf, runningServers, serverOf, without } from '../e2e/support/servers.js'
import { isSettled, taskOf } from '../e2e/support/status.js'
import { until } from '../e2e/support/until.js'
import { killedTasks, launchedTasks, repeated } from './support/evidence.js'
import { readOutages } from './support/storeless.js'

export const description = 'three ZooKeeper servers lose their leader during deployments, a follower, and their majority'

const program = new URL('./support/service-program.ts', import.meta.url).pathname
const pods = ['node-0', 'node-1', 'node-2']
const tickTimeMs = 500
/** The product's own default. */
const sessionTimeoutMs = 10_000
/** Without a majority for so long: longer than a session lasts, which ends only when a majority says so. */
const withoutMajorityMs = 12_000
const timings = { allocationIntervalMs: 100, agentPingTimeoutMs: 500, maxAgentPingTimeouts: 3, updateRetryMs: 500 }

/** One service on a cluster of its own. */
interface Service {
  readonly cluster: LocalCluster
  scheduler: SchedulerProgram
  readonly start: () => SchedulerProgram
}

interface Outcome {
  readonly name: string
  readonly outagesMs: readonly number[]
  readonly lostSessions: number
  readonly epochs: number
  readonly launches: number
  readonly problems: readonly string[]
}

/** During which the leader of the ensemble is killed: as soon as the master has taken so many calls of that kind. */
const deployments: readonly { readonly name: string; readonly isNow: (calls: readonly AcceptedCall[]) => boolean }[] = [
  { name: 'the framework has subscribed', isNow: (calls) => calls.some(({ call }) => call.type === 'SUBSCRIBE') },
  { name: 'the first reservation is made', isNow: (calls) => calls.some(({ call }) => call.type === 'ACCEPT') },
  { name: 'the first task is launched', isNow: (calls) => launchedTasks(calls).length >= 1 },
  { name: 'the first server is launched', isNow: (calls) => launchedTasks(calls).some((id) => id.includes('-server__')) },
]

export default async function run(): Promise<{ line: string; ok: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), 'stateward-verify-'))
  const ensemble = await startZooKeeperEnsemble({ workDir: join(folder, 'zookeeper'), tickTimeMs })
  const outcomes: Outcome[] = []
  const tell = (outcome: Outcome): void => {
    console.log(`${outcome.name}: ${describeOutcome(outcome)}`)
    outcomes.push(outcome)
  }
  try {
    for (const { name, isNow } of deployments) {
      await withService(folder, ensemble, async (service) => tell(await loseLeaderWhile(name, isNow, service, ensemble)))
    }
    await withService(folder, ensemble, async (service) => {
      await service.scheduler.untilStatus('the service to be deployed', isSettled)
      for (const follower of await followersOf(ensemble)) tell(await loseFollower(follower, service))
      for (const round of [1, 2]) tell(await loseMajority(round, service, ensemble))
      tell(await startAfresh(service))
    })
  } finally {
    await ensemble.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  return summarise(outcomes)
}

let services = 0

/** A cluster of its own and a path of its own in the ensemble; everything of it has ended afterwards. */
async function withService(folder: string, ensemble: ZooKeeperEnsemble, use: (service: Service) => Promise<void>): Promise<void> {
  services += 1
  const cluster = await startLocalCluster({ workDir: join(folder, `cluster-${services}`), timings, agents: 3 })
  const store = `${ensemble.connect}/stateward-${services}`
  const start = (): SchedulerProgram =>
    startScheduler({ cluster: cluster.masterUrl, store, gateFile: '', sessionTimeoutMs }, program)
  const service: Service = { cluster, scheduler: start(), start }
  try {
    await service.scheduler.untilRole('leader')
    await use(service)
  } finally {
    await service.scheduler.end('SIGKILL')
    await cluster.close()
  }
}

async function loseLeaderWhile(
  name: string,
  isNow: (calls: readonly AcceptedCall[]) => boolean,
  service: Service,
  ensemble: ZooKeeperEnsemble,
): Promise<Outcome> {
  const { cluster, scheduler } = service
  const leader = await leaderOf(ensemble)
  const look = observe(service)
  await until(name, async () => isNow(await cluster.acceptedCalls()))
  await leader.kill()
  await scheduler.untilStatus('the service to be deployed', isSettled)
  await leader.restart()
  return look(`the leader is killed when ${name}`)
}

async function loseFollower(follower: ZooKeeperServer, service: Service): Promise<Outcome> {
  const look = observe(service)
  await follower.kill()
  await repair(service, 'node-0')
  await follower.restart()
  return look('a follower is killed, and a task')
}

async function loseMajority(round: number, service: Service, ensemble: ZooKeeperEnsemble): Promise<Outcome> {
  const { cluster, scheduler } = service
  const look = observe(service)
  const [follower] = await followersOf(ensemble)
  const lost = [await leaderOf(ensemble), ...(follower === undefined ? [] : [follower])]
  await Promise.all(lost.map((server) => server.kill()))
  await until('the scheduler to miss its store', async () => (await scheduler.leadership())?.storeAnswers === false)
  const launches = launchedTasks(await cluster.acceptedCalls()).length
  const problems: string[] = []
  await repair(service, 'node-1', async () => {
    // The fault itself lasts so long.
    await new Promise((resolve) => setTimeout(resolve, withoutMajorityMs))
    if (launchedTasks(await cluster.acceptedCalls()).length !== launches) problems.push('launched without a store')
    if ((await scheduler.leadership())?.storeAnswers !== false) problems.push('the store answered without a majority')
    await Promise.all(lost.map((server) => server.restart()))
  })
  const outcome = await look(`the majority is away for ${withoutMajorityMs / 1000} s, and a task is killed (${round})`)
  return { ...outcome, problems: [...outcome.problems, ...problems] }
}

/** What is stored is what runs: another scheduler finds nothing to do. */
async function startAfresh(service: Service): Promise<Outcome> {
  const { cluster } = service
  await service.scheduler.end('SIGTERM')
  const before = runningServers(cluster)
  const from = (await cluster.acceptedCalls()).length
  service.scheduler = service.start()
  await service.scheduler.untilRole('leader')
  const look = observe(service)
  const status = await service.scheduler.untilStatus('the service to be well', isSettled)
  const outcome = await look('another scheduler starts on what is stored')
  const calls = (await cluster.acceptedCalls()).slice(from)
  const acted = calls.filter(({ call }) => call.type === 'ACCEPT' || call.type === 'KILL').map(({ call }) => call.type)
  const strange = pods.filter((pod) => taskOf(status, `${pod}-server`)?.taskId !== serverOf(before, pod).taskId)
  return {
    ...outcome,
    problems: [
      ...outcome.problems,
      ...acted.map((type) => `it sent ${type}`),
      ...strange.map((pod) => `what is stored of ${pod} is not what runs`),
    ],
  }
}

/** Kills a server; `meanwhile` comes before it has to be back, in its place and with its data, nobody else touched. */
async function repair({ cluster, scheduler }: Service, pod: string, meanwhile?: () => Promise<void>): Promise<void> {
  const before = runningServers(cluster)
  const killed = serverOf(before, pod)
  process.kill(killed.pid, 'SIGKILL')
  await meanwhile?.()
  await scheduler.untilStatus(
    `${pod} to be back`,
    (status) => isSettled(status) && taskOf(status, `${pod}-server`)?.taskId !== killed.taskId,
  )
  const after = runningServers(cluster)
  const isSame = JSON.stringify([without(after, pod), placeOf(serverOf(after, pod))])
  if (isSame !== JSON.stringify([without(before, pod), placeOf(killed)])) throw new Error(`more than ${pod} was touched`)
}

/** Begins to look at a service; the answer says what has become of it since. */
function observe({ cluster, scheduler }: Service): (name: string) => Promise<Outcome> {
  const from = scheduler.log().length
  const epochFrom = epochIn(scheduler, from)
  return async (name) => {
    const log = scheduler.log().slice(from)
    const { outagesMs, lostSessions } = readOutages(log)
    const epochs = epochFrom === undefined ? 0 : (epochIn(scheduler) ?? 0) - epochFrom
    const calls = await cluster.acceptedCalls()
    const launched = launchedTasks(calls)
    const running = runningServers(cluster)
    return {
      name,
      outagesMs,
      lostSessions,
      epochs,
      launches: launched.length,
      problems: [
        ...repeated(launched).map((taskId) => `${taskId} was launched twice`),
        ...killedTasks(calls).map((taskId) => `${taskId} was killed unasked`),
        ...(epochs === lostSessions ? [] : [`the epoch grew by ${epochs}, with ${lostSessions} sessions lost`]),
        ...pods
          .filter(
            (pod) =>
              linesOf(serverOf(running, pod), 'starts').length !==
                launched.filter((id) => id.startsWith(`${pod}-server__`)).length ||
              linesOf(serverOf(running, pod), 'marker').length !== 1,
          )
          .map((pod) => `${pod} was not started and initialised as often as launched`),
      ],
    }
  }
}

/** The last epoch that its log names, among so many lines. */
function epochIn(scheduler: SchedulerProgram, lines = Infinity): number | undefined {
  const line = scheduler
    .log()
    .slice(0, lines)
    .findLast(({ msg }) => msg.startsWith('leading this service'))
  return line === undefined ? undefined : Number(/epoch (\d+)/.exec(line.msg)?.[1])
}

const leaderOf = (ensemble: ZooKeeperEnsemble): Promise<ZooKeeperServer> =>
  until('the ensemble to have a leader', () => ensemble.leader())

async function followersOf(ensemble: ZooKeeperEnsemble): Promise<ZooKeeperServer[]> {
  const leader = await leaderOf(ensemble)
  return ensemble.servers.filter((server) => server !== leader)
}

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const describeOutcome = ({ outagesMs, lostSessions, epochs, launches, problems }: Outcome): string =>
  `store away ${outagesMs.length === 0 ? 'unnoticed' : outagesMs.map(inSeconds).join(' + ')}, sessions lost ${lostSessions}, ` +
  `epochs ${epochs}, ${launches} launches: ${problems.length === 0 ? 'ok' : `FAILED: ${problems.join('; ')}`}`

function summarise(outcomes: readonly Outcome[]): { line: string; ok: boolean } {
  const failed = outcomes.filter(({ problems }) => problems.length > 0).length
  const outages = outcomes.flatMap(({ outagesMs }) => outagesMs).sort((a, b) => a - b)
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0)
  return {
    ok: failed === 0 && outcomes.length === deployments.length + 5,
    line:
      `${outcomes.length} losses and restarts (${deployments.length} leaders during deployments, 2 followers, 2 majorities), ${failed} with faults: ` +
      `no task launched twice, none killed; store away ${outages.length} times, median ${inSeconds(outages[Math.floor(outages.length / 2)] ?? 0)}, ` +
      `most ${inSeconds(outages.at(-1) ?? 0)}; ${sum(({ lostSessions }) => lostSessions)} sessions lost, ${sum(({ epochs }) => epochs)} changes of the epoch`,
  }
}

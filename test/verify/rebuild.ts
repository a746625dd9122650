/**
 * A service of twelve pods on real processes loses its whole tree in ZooKeeper while its scheduler runs. The scheduler stops;
 * started again it founds nothing; the doctor writes the store anew; the next scheduler touches no task, shows complete plans,
 * and brings a task that is killed back in place.
 */
import type { ServiceStatus } from 'stateward'
import type { LocalCluster, ZooKeeperServer } from 'stateward/local-cluster'
import { countNodes, createDoctor, deleteTree, killedTasks } from '../e2e/support/lost-store.js'
import type { SchedulerProgram } from '../e2e/support/scheduler-program.js'
import { launchedServers, linesOf, places, runningServers, serverOf, without, type Servers } from '../e2e/support/servers.js'
import { isSettled, taskOf } from '../e2e/support/status.js'
import { toySpec } from '../e2e/support/toy-spec.js'
import { until } from '../e2e/support/until.js'
import { createWorld, type World } from '../e2e/support/world.js'

export const description = 'a service of 12 pods whose ZooKeeper tree is deleted: not founded twice, rebuilt, no task touched'

const count = 12
const victim = 'node-5'
const spec = toySpec({ cluster: '', store: '', gateFile: '', count })
/** The line shows what fell short, not all that did. */
const problemsShown = 3

class Demands {
  readonly broken: string[] = []
  that(what: string, holds: boolean): void {
    if (holds) return
    console.log(`verify rebuild: NOT SO: ${what}`)
    this.broken.push(what)
  }
}

interface Stage {
  readonly world: World
  readonly zookeeper: ZooKeeperServer
  readonly cluster: LocalCluster
  readonly start: () => SchedulerProgram
  readonly demands: Demands
}

const secondsSince = (fromMs: number): string => ((performance.now() - fromMs) / 1000).toFixed(1)

const same = (a: Servers, b: Servers, of: (server: Servers[string]) => unknown): number =>
  Object.keys(a).filter((name) => b[name] !== undefined && of(a[name] as Servers[string]) === of(b[name])).length

/** Deploys serially, which may take longer than a wait of the end-to-end tests. */
async function deployed(scheduler: SchedulerProgram): Promise<ServiceStatus> {
  for (let ready = 1; ready <= count; ready += 1)
    await scheduler.untilStatus(`${ready} pods to be ready`, (each) => each.instances.filter((pod) => pod.ready).length >= ready)
  return scheduler.untilStatus('the deployment', isSettled)
}

async function lose(
  { zookeeper, start, demands, cluster }: Stage,
  scheduler: SchedulerProgram,
  before: Servers,
): Promise<string> {
  const nodes = await countNodes(zookeeper, '/stateward')
  const fromMs = performance.now()
  await deleteTree(zookeeper, '/stateward')
  demands.that('the scheduler stops with code 1', (await scheduler.exited).code === 1)
  const stopped = secondsSince(fromMs)
  const second = start()
  demands.that('the second scheduler stops with code 1', (await second.exited).code === 1)
  demands.that(
    'it names the framework, the reservations and the way out',
    /framework \S+ .*reserved resources.*doctor SPEC --rebuild/.test(second.stderr()),
  )
  demands.that('the cluster has one framework', (await cluster.status()).frameworks.length === 1)
  demands.that('nothing was touched by then', same(before, runningServers(cluster), ({ pid }) => pid) === count)
  return `${nodes} nodes deleted, scheduler stopped in ${stopped} s, second founding refused`
}

async function rebuild({ world, cluster, zookeeper, demands }: Stage): Promise<string> {
  const doctor = createDoctor({ folder: world.folder, cluster, zookeeper })
  const found = await doctor(spec)
  demands.that('the doctor finds the loss', found.code === 1 && found.stdout.includes('STORE_LOST'))
  const fromMs = performance.now()
  const { code, stdout, stderr } = await doctor(spec, '--rebuild')
  const took = secondsSince(fromMs)
  demands.that(`the store is rebuilt (${stderr})`, code === 0 && /: written\n$/.test(stdout))
  demands.that('afterwards nothing differs', (await doctor(spec)).code === 0)
  return `${/(\d+) records/.exec(stdout)?.[1] ?? '?'} records rebuilt in ${took} s`
}

/** The next scheduler, until it has asked about everything and turned the offers away. */
async function takeOver(
  { cluster, start, demands }: Stage,
  before: Servers,
  frameworkId: string | undefined,
): Promise<[SchedulerProgram, string]> {
  const calls = (await cluster.acceptedCalls()).length
  const fromMs = performance.now()
  const scheduler = start()
  const status = await scheduler.untilStatus('the service to be well', isSettled)
  const took = secondsSince(fromMs)
  await until('the offers to be turned away', async () =>
    (await cluster.acceptedCalls()).slice(calls).some(({ call }) => call.type === 'SUPPRESS'),
  )
  demands.that('it is the same framework', status.frameworkId === frameworkId)
  demands.that('no task is unknown', status.unknownTasks.length === 0)
  demands.that('every plan is complete', status.plans.length > 0 && status.plans.every((plan) => plan.status === 'COMPLETE'))
  const since = (await cluster.acceptedCalls()).slice(calls).map(({ call }) => call.type)
  demands.that(`nothing is launched or killed (${since.join(', ')})`, !since.includes('ACCEPT') && !since.includes('KILL'))
  const after = runningServers(cluster)
  const [ids, pids] = [same(before, after, ({ taskId }) => taskId), same(before, after, ({ pid, born }) => `${pid} ${born}`)]
  demands.that('every task is the same', ids === count && pids === count)
  return [scheduler, `taken over in ${took} s with ${ids}/${count} same task ids and ${pids}/${count} same pids`]
}

async function recover({ cluster, demands }: Stage, scheduler: SchedulerProgram, before: Servers): Promise<string> {
  const old = serverOf(before, victim)
  const fromMs = performance.now()
  process.kill(old.pid, 'SIGKILL')
  await scheduler.untilStatus(
    'the recovery',
    (status) => isSettled(status) && taskOf(status, `${victim}-server`)?.taskId !== old.taskId,
  )
  const took = secondsSince(fromMs)
  const after = runningServers(cluster)
  demands.that('nobody else moved', JSON.stringify(without(after, victim)) === JSON.stringify(without(before, victim)))
  demands.that('it came back on its agent and volume', JSON.stringify(places(after)) === JSON.stringify(places(before)))
  demands.that('its volume was prepared once', linesOf(serverOf(after, victim), 'marker').length === 1)
  demands.that('it was started twice', linesOf(serverOf(after, victim), 'starts').length === 2)
  demands.that('it was launched once more', (await launchedServers(cluster)).length === count + 1)
  return `${victim} recovered in place in ${took} s`
}

export default async function run(): Promise<{ line: string; ok: boolean }> {
  const world = createWorld()
  const demands = new Demands()
  const figures: string[] = [`${count} pods`]
  const say = (figure: string): void => {
    console.log(`verify rebuild: ${figure}`)
    figures.push(figure)
  }
  try {
    const [zookeeper, cluster] = await Promise.all([world.startZooKeeper(), world.startCluster({ agents: count })])
    const start = (): SchedulerProgram =>
      world.startScheduler({ cluster: cluster.masterUrl, store: `zk://${zookeeper.connect}/stateward`, count })
    const stage: Stage = { world, zookeeper, cluster, start, demands }
    const first = start()
    const { frameworkId } = await deployed(first)
    const before = runningServers(cluster)
    demands.that('every pod runs', Object.keys(before).length === count)
    say(await lose(stage, first, before))
    say(await rebuild(stage))
    const [scheduler, figure] = await takeOver(stage, before, frameworkId)
    say(figure)
    say(await recover(stage, scheduler, before))
    const kills = (await killedTasks(cluster)).length
    demands.that('the master was told to kill nothing', kills === 0)
    say(`${kills} kills at the master`)
  } finally {
    await world.end()
  }
  const { broken } = demands
  const shortfall = broken.length === 0 ? '' : `; NOT SO: ${broken.slice(0, problemsShown).join('; ')}`
  return { ok: broken.length === 0, line: `${figures.join(', ')}${shortfall}` }
}

/**
 * What the scheduler stands on goes away and comes back: ZooKeeper, its disk, the master, an agent, a machine. Each time it says
 * so, no task is touched for it, and the service recovers afterwards. The tests share one service and build on each other.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { ServiceStatus } from 'stateward'
import type { LocalCluster, ZooKeeperServer } from 'stateward/local-cluster'
import type { SchedulerProgram } from './support/scheduler-program.js'
import { launchedServers, linesOf, placeOf, runningServers, serverOf, without, type Servers } from './support/servers.js'
import { isSettled, isWell, stepOf, taskOf } from './support/status.js'
import { until } from './support/until.js'
import { createWorld, freePort } from './support/world.js'

const world = createWorld()
let zookeeper: ZooKeeperServer
let cluster: LocalCluster
let scheduler: SchedulerProgram
let settings: { readonly cluster: string; readonly store: string }
/** Complaints of the present scheduler that were asked for already. */
let heard = 0

function startAgain(): void {
  scheduler = world.startScheduler(settings)
  heard = 0
}

const servers = (): Servers => runningServers(cluster)
const settled = () => scheduler.untilStatus('the service to be well', isSettled)

/** Details of a connection come beside the complaint, on some runs and not on others. */
const allComplaints = (): string[] => scheduler.complaints().filter((line) => !line.startsWith('ZooKeeper: '))

/** What the scheduler has complained about since it was last asked. */
function complaints(): string[] {
  const all = allComplaints()
  const news = all.slice(heard)
  heard = all.length
  return news
}

/** Waits for the next complaint, which must be this one. */
async function expectComplaint(pattern: RegExp): Promise<void> {
  await until(`a complaint like ${pattern.source}`, () => allComplaints().length > heard)
  expect(complaints()).toEqual([expect.stringMatching(pattern)])
}

/** Before a first subscription it is the operator API that is asked. */
const noMasterAt = (url: string): RegExp =>
  new RegExp(
    `^cannot reach a Mesos master at ${url.replaceAll('.', '\\.')}: (?=.*; trying again in ).*; check that the master runs`,
  )
const noStoreAt = (address: string): RegExp =>
  new RegExp(
    `^cannot open the store on zk://${address.replaceAll('.', '\\.')}/.* check that ZooKeeper runs there .*; trying again$`,
  )
const storeIsAway = /^the store on zk:\/\/127\.0\.0\.1:\d+\/stateward does not answer; .*check ZooKeeper there$/
/** The session was kept, or, on a machine too busy for that, replaced. */
const storeIsBack = /^the store on .* answers again$|; beginning anew with the stored state$/

/** Kills a server and waits for the next one, which must be the same pod at the same place with its data; nobody else moves. */
async function expectRecovery(pod: string): Promise<void> {
  const before = servers()
  const starts = linesOf(serverOf(before, pod), 'starts')
  process.kill(serverOf(before, pod).pid, 'SIGKILL')
  await expectBack(pod, before, starts)
}

async function expectBack(pod: string, before: Servers, starts: readonly string[]): Promise<void> {
  const old = serverOf(before, pod)
  await scheduler.untilStatus(
    `${pod} to be back`,
    (status) => isWell(status, pod) && taskOf(status, `${pod}-server`)?.taskId !== old.taskId,
  )
  const after = servers()
  expect(without(after, pod)).toEqual(without(before, pod))
  expect(placeOf(serverOf(after, pod))).toEqual(placeOf(old))
  expect(linesOf(serverOf(after, pod), 'marker')).toEqual(['marker'])
  expect(linesOf(serverOf(after, pod), 'starts')).toEqual([...starts, '1'])
}

afterAll(() => world.end())

test('nothing is there yet: it says what it cannot reach, ends when told to, and deploys when all has come', async () => {
  const [zookeeperPort, masterPort] = [await freePort(), await freePort()]
  const zookeeperAddress = `127.0.0.1:${zookeeperPort}`
  settings = { cluster: `http://127.0.0.1:${masterPort}`, store: `zk://${zookeeperAddress}/stateward` }
  startAgain()
  await expectComplaint(noStoreAt(zookeeperAddress))
  expect(await scheduler.end('SIGTERM')).toEqual({ code: 0, signal: null })

  startAgain()
  await expectComplaint(noStoreAt(zookeeperAddress))
  expect(await scheduler.request('GET', '/v1/status')).toMatchObject({ code: 503, body: { error: 'NOT_LEADING' } })
  zookeeper = await world.startZooKeeper({ port: zookeeperPort })
  await expectComplaint(noMasterAt(settings.cluster))

  cluster = await world.startCluster({ agents: 3, port: masterPort })
  await settled()
  expect(Object.keys(servers()).sort()).toEqual(['node-0', 'node-1', 'node-2'])
  expect(complaints()).toEqual([])
})

test('ZooKeeper stops and starts again: tasks run on, and what ended meanwhile is recovered', async () => {
  const before = servers()
  const starts = linesOf(serverOf(before, 'node-0'), 'starts')
  await zookeeper.stop()
  await expectComplaint(storeIsAway)
  process.kill(serverOf(before, 'node-0').pid, 'SIGKILL')
  await until('the end of the task', () => servers()['node-0'] === undefined)
  expect(servers()).toEqual(without(before, 'node-0'))
  await zookeeper.restart()
  await expectBack('node-0', before, starts)
  expect(complaints()).toContainEqual(expect.stringMatching(storeIsBack))
  await expectRecovery('node-1')
})

test('ZooKeeper is away when the scheduler is told to end: it ends, and the next one waits for ZooKeeper', async () => {
  const before = servers()
  const starts = linesOf(serverOf(before, 'node-2'), 'starts')
  await zookeeper.stop()
  await expectComplaint(storeIsAway)
  process.kill(serverOf(before, 'node-2').pid, 'SIGKILL')
  const from = performance.now()
  expect(await scheduler.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(performance.now() - from).toBeLessThan(15_000)
  expect(scheduler.stderr()).toBe('')
  expect(servers()).toEqual(without(before, 'node-2'))

  startAgain()
  await expectComplaint(noStoreAt(zookeeper.connect))
  await zookeeper.restart()
  await expectBack('node-2', before, starts)
})

test('the master is killed and another one starts: it subscribes under the same framework id and touches no task', async () => {
  const before = servers()
  const { frameworkId } = await settled()
  const { master } = JSON.parse(readFileSync(join(cluster.workDir, 'cluster.json'), 'utf8')) as {
    readonly master: { readonly mark: { readonly pid: number } }
  }
  process.kill(master.mark.pid, 'SIGKILL')
  await expectComplaint(noMasterAt(cluster.masterUrl))
  await scheduler.untilStatus('the loss to show', (status) => !status.connected)
  await cluster.failoverMaster()
  const status = await settled()
  expect(status.frameworkId).toBe(frameworkId)
  expect((await cluster.status()).frameworks).toMatchObject([{ id: frameworkId, tasks: 3 }])
  expect(servers()).toEqual(before)
  await expectRecovery('node-2')
})

test.each([
  {
    what: 'an agent is stopped',
    away: (index: number) => cluster.stopAgent(index),
    back: (index: number) => cluster.startAgent(index),
  },
  {
    what: 'an agent is cut off',
    away: (index: number) => cluster.partition(index),
    back: (index: number) => cluster.heal(index),
  },
])('$what: its task is kept, and is as before when the agent is back', async ({ away, back }) => {
  const before = servers()
  const { agentIndex } = serverOf(before, 'node-1')
  await away(agentIndex)
  const status = await scheduler.untilStatus(
    'the loss of the agent',
    (each) => stepOf(each, 'recovery', 'node-1')?.status === 'WAITING',
  )
  expect(stepOf(status, 'recovery', 'node-1')?.reason).toMatch(
    /node-1-server on agent \S+ is .*UNREACHABLE.* until the agent returns/,
  )
  expect(servers()).toEqual(before)
  await back(agentIndex)
  await settled()
  expect(servers()).toEqual(before)
})

test('a machine is down: the pod waits for it, and comes back on it with its data', async () => {
  const before = servers()
  const { agentIndex } = serverOf(before, 'node-2')
  const starts = linesOf(serverOf(before, 'node-2'), 'starts')
  await cluster.machineDown(agentIndex)
  const status = await scheduler.untilStatus(
    'the loss of the machine',
    (each) => stepOf(each, 'recovery', 'node-2')?.status === 'WAITING',
  )
  expect(stepOf(status, 'recovery', 'node-2')?.reason).toContain('until the agent returns')
  expect(servers()).toEqual(without(before, 'node-2'))
  await cluster.machineUp(agentIndex)
  await expectBack('node-2', before, starts)
})

test('the disk under ZooKeeper is full: nothing is lost, and the service goes on when there is room again', async () => {
  const before = servers()
  const { frameworkId } = await settled()
  await zookeeper.restart({ maxFileSizeBytes: 50_000 })
  await until('the store to be back', () => complaints().some((line) => storeIsBack.test(line)))
  let isOver = false
  void zookeeper.exited().then(() => (isOver = true))
  // Every crash is written down, until there is no room for it.
  await until('the disk to be full', () => {
    const server = servers()['node-0']
    if (server !== undefined && !isOver) process.kill(server.pid, 'SIGKILL')
    return isOver
  })
  await expectComplaint(storeIsAway)
  expect(without(servers(), 'node-0')).toEqual(without(before, 'node-0'))
  await zookeeper.restart({})
  // The last crash may be heard of only now.
  const status = await scheduler.untilStatus('the last crash to be recovered', (each) => {
    const server = servers()['node-0']
    return isSettled(each) && server !== undefined && server.taskId === taskOf(each, 'node-0-server')?.taskId
  })
  expect(status.frameworkId).toBe(frameworkId)
  const after = servers()
  expect(without(after, 'node-0')).toEqual(without(before, 'node-0'))
  expect(placeOf(serverOf(after, 'node-0'))).toEqual(placeOf(serverOf(before, 'node-0')))
  await expectRecovery('node-1')
})

test('an agent comes back empty, as another one: its pod starts nowhere without its data and says so, the others recover', async () => {
  const before = servers()
  const launched = await launchedServers(cluster)
  await cluster.wipeAgent(serverOf(before, 'node-0').agentIndex)
  const isWaiting = (status: ServiceStatus): boolean => stepOf(status, 'recovery', 'node-0')?.status === 'WAITING'
  const status = await scheduler.untilStatus('the loss of the agent', isWaiting)
  expect(stepOf(status, 'recovery', 'node-0')?.reason).toMatch(
    /^task node-0-server on agent \S+ is LOST and may still run; it is kept/,
  )
  expect(servers()).toEqual(without(before, 'node-0'))
  await expectRecovery('node-1')
  expect(await scheduler.status()).toSatisfy(isWaiting)
  expect(await launchedServers(cluster)).toEqual([...launched, serverOf(servers(), 'node-1').taskId])
})

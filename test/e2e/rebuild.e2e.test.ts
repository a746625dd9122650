/**
 * The store is deleted under a running scheduler: it stops, and its successor does not found the service again. The doctor
 * says what differs, and writes the store anew; then the service goes on as if nothing had been. The tests build on each other.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LocalCluster, ZooKeeperServer } from 'stateward/local-cluster'
import { countNodes, createDoctor, deleteTree, killedTasks, type Answer } from './support/lost-store.js'
import type { SchedulerProgram } from './support/scheduler-program.js'
import { launchedServers, linesOf, placeOf, runningServers, serverOf, type Servers } from './support/servers.js'
import { isSettled, taskOf } from './support/status.js'
import { toySpec } from './support/toy-spec.js'
import { createWorld } from './support/world.js'

const world = createWorld()
const spec = toySpec({ cluster: '', store: '', gateFile: '', count: 1 })
let zookeeper: ZooKeeperServer
let cluster: LocalCluster
let scheduler: SchedulerProgram
let doctor: (spec: object, ...args: string[]) => Promise<Answer>
let before: Servers
let frameworkId: string | undefined

const start = (): SchedulerProgram =>
  world.startScheduler({ cluster: cluster.masterUrl, store: `zk://${zookeeper.connect}/stateward`, count: 1 })

beforeAll(async () => {
  ;[zookeeper, cluster] = await Promise.all([world.startZooKeeper(), world.startCluster({ agents: 2 })])
  doctor = createDoctor({ folder: world.folder, cluster, zookeeper })
  scheduler = start()
  ;({ frameworkId } = await scheduler.untilStatus('the deployment', isSettled))
  before = runningServers(cluster)
})

afterAll(() => world.end())

test('beside a scheduler that leads the doctor finds no difference, and rebuilds nothing', async () => {
  expect(await doctor(spec)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^service toy: framework \S+, led by .+\ncompared 1 stored instances .*\nnothing differs\n$/),
  })
  const { code, stderr } = await doctor(spec, '--rebuild')
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/leads this service; stop that scheduler/) })
  expect(scheduler.complaints()).toEqual([])
})

test('the store is deleted: the scheduler stops, and started again it founds nothing', async () => {
  await deleteTree(zookeeper, '/stateward')
  expect(await scheduler.exited).toEqual({ code: 1, signal: null })
  scheduler = start()
  expect(await scheduler.exited).toEqual({ code: 1, signal: null })
  expect(scheduler.stderr()).toMatch(
    /^the store of service toy holds no framework id, and the cluster has: framework \S+ of this name and role \(disconnected\); task node-0-server__\S+ \(RUNNING\) on agent \S+; \d+ reserved resources on agent .*stateward doctor SPEC --rebuild\n$/,
  )
  expect((await cluster.status()).frameworks.map(({ id }) => id)).toEqual([frameworkId])
  expect(runningServers(cluster)).toEqual(before)
})

test('the doctor says what is lost, and what it would write', async () => {
  const { code, stdout } = await doctor(spec)
  expect(code).toBe(1)
  expect(stdout).toMatch(/\nSTORE_LOST toy: framework .*\n {2}means: .*\n {2}do: .*--rebuild\n1 difference\n$/)
  expect(JSON.parse((await doctor(spec, '--json')).stdout)).toMatchObject({ service: 'toy', findings: [{ code: 'STORE_LOST' }] })
  const nodes = await countNodes(zookeeper, '/stateward')
  const dry = await doctor(spec, '--rebuild', '--dry-run')
  expect(dry).toMatchObject({ code: 0, stderr: '' })
  expect(dry.stdout).toMatch(
    /node-0: on \S+ \(\S+\), generation 1, deployed, volume data .* created, .*\n.*deploy COMPLETE\n.*this was a dry run\n$/,
  )
  expect(await countNodes(zookeeper, '/stateward')).toBe(nodes)
  const other = await doctor(toySpec({ cluster: '', store: '', gateFile: '', count: 1, version: '2' }), '--rebuild')
  expect(other.code).toBe(1)
  expect(other.stderr).toMatch(
    /^ERR_REBUILD_REFUSED: .*nothing was written:\n {2}node-0: task node-0-server__\S+ was launched from spec/,
  )
})

test('rebuilt: the scheduler goes on, touches no task, and recovers in place', async () => {
  expect(await doctor(spec, '--rebuild')).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/: written\n$/) })
  expect(await doctor(spec)).toMatchObject({ code: 0, stdout: expect.stringMatching(/nothing differs\n$/) })
  scheduler = start()
  const status = await scheduler.untilStatus('the service to be well', isSettled)
  expect(status).toMatchObject({ frameworkId, unknownTasks: [] })
  expect(runningServers(cluster)).toEqual(before)
  expect(await launchedServers(cluster)).toEqual([serverOf(before, 'node-0').taskId])

  process.kill(serverOf(before, 'node-0').pid, 'SIGKILL')
  await scheduler.untilStatus(
    'the recovery',
    (each) => isSettled(each) && taskOf(each, 'node-0-server')?.taskId !== serverOf(before, 'node-0').taskId,
  )
  const after = runningServers(cluster)
  expect(placeOf(serverOf(after, 'node-0'))).toEqual(placeOf(serverOf(before, 'node-0')))
  expect(linesOf(serverOf(after, 'node-0'), 'marker')).toEqual(['marker'])
  expect(linesOf(serverOf(after, 'node-0'), 'starts')).toEqual(['1', '1'])
  expect(await killedTasks(cluster)).toEqual([])
})

test.each([[['--dry-run']], [['--used', 'node-0']], [['--principal', 'x']], [['--rebuild', '--value', 'x']]])(
  'wrong usage ends with code 2: %j',
  async (args) => {
    const { code, stdout, stderr } = await doctor(spec, ...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: --/)
  },
)

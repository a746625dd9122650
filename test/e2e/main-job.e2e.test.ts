/**
 * The main job on real processes: ZooKeeper, a local cluster, and the scheduler as a program of its own. The tests tell one
 * story and build on each other.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { LocalCluster, ZooKeeperServer } from 'stateward/local-cluster'
import type { SchedulerProgram } from './support/scheduler-program.js'
import { launchedServers, linesOf, placeOf, places, runningServers, serverOf, without, type Servers } from './support/servers.js'
import { isSettled, planOf, stepOf, taskOf } from './support/status.js'
import { until } from './support/until.js'
import { watchDown } from './support/watch-down.js'
import { createWorld, serveArtifact, type Artifact } from './support/world.js'

const pods = ['node-0', 'node-1', 'node-2']
const world = createWorld()
let artifact: Artifact
let zookeeper: ZooKeeperServer
let cluster: LocalCluster
let scheduler: SchedulerProgram

const start = (version: string): SchedulerProgram =>
  world.startScheduler({
    cluster: cluster.masterUrl,
    store: `zk://${zookeeper.connect}/stateward`,
    artifact: artifact.url,
    backoffMs: 2_000,
    version,
  })

const servers = (): Servers => runningServers(cluster)
const settled = () => scheduler.untilStatus('the service to be well', isSettled)

/** Every pod was initialised once and has kept what each of its servers wrote. */
function expectData(starts: Readonly<Record<string, readonly string[]>>): void {
  const running = servers()
  expect(Object.keys(running).sort()).toEqual(pods)
  for (const pod of pods) {
    expect(linesOf(serverOf(running, pod), 'marker')).toEqual(['marker'])
    expect(linesOf(serverOf(running, pod), 'starts')).toEqual(starts[pod])
  }
}

beforeAll(async () => {
  artifact = await serveArtifact()
  ;[zookeeper, cluster] = await Promise.all([world.startZooKeeper(), world.startCluster({ agents: 3 })])
  scheduler = start('1')
})

afterAll(async () => {
  await world.end()
  await artifact.close()
})

test('deploys one pod per agent, each initialised once on its own volume', async () => {
  const status = await settled()
  expect(planOf(status, 'deploy')?.status).toBe('COMPLETE')
  expectData({ 'node-0': ['1'], 'node-1': ['1'], 'node-2': ['1'] })
  const running = servers()
  expect(new Set(Object.values(running).map(({ agentIndex }) => agentIndex)).size).toBe(3)
  expect(new Set(Object.values(running).map(({ volume }) => volume)).size).toBe(3)
  const peers = status.instances.map(({ name, address, ports }) => `${name}@${address}:${ports['client']}`).join(',')
  for (const pod of pods) expect(linesOf(serverOf(running, pod), 'peers')).toEqual([peers])
})

describe('recovery', () => {
  test('brings a killed task back on its agent and volume, and touches no other', async () => {
    const before = servers()
    process.kill(serverOf(before, 'node-0').pid, 'SIGKILL')
    await scheduler.untilStatus('the recovery', (status) => stepOf(status, 'recovery', 'node-0')?.status === 'COMPLETE')
    const after = servers()
    expect(without(after, 'node-0')).toEqual(without(before, 'node-0'))
    expect(placeOf(serverOf(after, 'node-0'))).toEqual(placeOf(serverOf(before, 'node-0')))
    expect(serverOf(after, 'node-0').taskId).not.toBe(serverOf(before, 'node-0').taskId)
    expectData({ 'node-0': ['1', '1'], 'node-1': ['1'], 'node-2': ['1'] })
  })

  test('goes on when the scheduler is killed during the back-off', async () => {
    const before = servers()
    const launchedBefore = await launchedServers(cluster)
    process.kill(serverOf(before, 'node-1').pid, 'SIGKILL')
    const waiting = await scheduler.untilStatus(
      'the back-off',
      (status) => stepOf(status, 'recovery', 'node-1')?.status === 'DELAYED',
    )
    expect(stepOf(waiting, 'recovery', 'node-1')?.reason).toContain('node-1-server has failed once')
    await scheduler.end('SIGKILL')
    expect(servers()).toEqual(without(before, 'node-1'))
    scheduler = start('1')
    await scheduler.untilStatus('the recovery', (status) => stepOf(status, 'recovery', 'node-1')?.status === 'COMPLETE')
    const after = servers()
    expect(without(after, 'node-1')).toEqual(without(before, 'node-1'))
    expect(placeOf(serverOf(after, 'node-1'))).toEqual(placeOf(serverOf(before, 'node-1')))
    expect(await launchedServers(cluster)).toEqual([...launchedBefore, serverOf(after, 'node-1').taskId])
    expectData({ 'node-0': ['1', '1'], 'node-1': ['1', '1'], 'node-2': ['1'] })
  })

  test('adopts a launch that is in flight when the scheduler is killed, and does not repeat it', async () => {
    const before = servers()
    const launchedBefore = await launchedServers(cluster)
    artifact.hold()
    onTestFinished(() => artifact.release())
    process.kill(serverOf(before, 'node-2').pid, 'SIGKILL')
    await until('the launch to be in flight', () => artifact.held() === 1)
    await scheduler.end('SIGKILL')
    scheduler = start('1')
    // The next leader has asked the master about the launch and knows that it is under way.
    await scheduler.untilStatus('the adoption', (status) =>
      /node-2-server is (being launched|starting)/.test(stepOf(status, 'recovery', 'node-2')?.reason ?? ''),
    )
    expect(servers()).toEqual(without(before, 'node-2'))
    artifact.release()
    await settled()
    const after = servers()
    expect(without(after, 'node-2')).toEqual(without(before, 'node-2'))
    expect(placeOf(serverOf(after, 'node-2'))).toEqual(placeOf(serverOf(before, 'node-2')))
    expect(await launchedServers(cluster)).toEqual([...launchedBefore, serverOf(after, 'node-2').taskId])
    expectData({ 'node-0': ['1', '1'], 'node-1': ['1', '1'], 'node-2': ['1', '1'] })
  })
})

describe('an update', () => {
  test('rolls one pod after the other in place', async () => {
    const before = servers()
    await scheduler.end('SIGTERM')
    const watch = watchDown(cluster, pods)
    scheduler = start('2')
    const status = await scheduler.untilStatus('the update', (each) => planOf(each, 'update')?.status === 'COMPLETE')
    const down = watch.stop()
    expect(isSettled(status)).toBe(true)
    expect(down.filter((each) => each.length > 1)).toEqual([])
    expect(down.flat()).toEqual(pods)
    expect(places(servers())).toEqual(places(before))
    expectData({ 'node-0': ['1', '1', '2'], 'node-1': ['1', '1', '2'], 'node-2': ['1', '1', '2'] })
  })

  test('is held by a closed gate, stays paused when the scheduler is killed, and goes on when resumed', async () => {
    const before = servers()
    world.closeGate('2 replicas are behind')
    await scheduler.end('SIGTERM')
    scheduler = start('3')
    const held = await scheduler.untilStatus('the gate to hold', (status) =>
      (stepOf(status, 'update', 'node-0')?.reason ?? '').includes('gate mayGoOn: 2 replicas are behind'),
    )
    expect(stepOf(held, 'update', 'node-0')?.status).toBe('STARTED')
    expect(stepOf(held, 'update', 'node-1')?.status).toBe('PENDING')
    expect(without(servers(), 'node-0')).toEqual(without(before, 'node-0'))
    const rolled = servers()

    expect(await scheduler.request('POST', '/v1/plans/update/pause')).toMatchObject({ code: 200, body: { paused: true } })
    await scheduler.end('SIGKILL')
    scheduler = start('3')
    world.openGate()
    const paused = await scheduler.untilStatus(
      'the block in hand to end',
      (status) => planOf(status, 'update')?.status === 'WAITING',
    )
    expect(planOf(paused, 'update')).toMatchObject({ paused: true })
    expect(planOf(paused, 'update')?.reason).toContain('POST /v1/plans/update/resume')
    expect(stepOf(paused, 'update', 'node-0')?.status).toBe('COMPLETE')
    expect(servers()).toEqual(rolled)

    const watch = watchDown(cluster, pods)
    expect(await scheduler.request('POST', '/v1/plans/update/resume')).toMatchObject({ code: 200, body: { paused: false } })
    await scheduler.untilStatus('the update', (status) => planOf(status, 'update')?.status === 'COMPLETE')
    expect(watch.stop().flat()).toEqual(['node-1', 'node-2'])
    expect(serverOf(servers(), 'node-0')).toEqual(serverOf(rolled, 'node-0'))
    expect(places(servers())).toEqual(places(before))
    const starts = ['1', '1', '2', '3']
    expectData({ 'node-0': starts, 'node-1': starts, 'node-2': starts })
  })
})

describe('the end of the scheduler', () => {
  test('SIGTERM ends it with code 0, the tasks live on, and an unchanged spec touches nothing when it is back', async () => {
    const before = servers()
    const from = performance.now()
    expect(await scheduler.end('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(performance.now() - from).toBeLessThan(10_000)
    expect(scheduler.stderr()).toBe('')
    expect(servers()).toEqual(before)
    const calls = (await cluster.acceptedCalls()).length

    scheduler = start('3')
    await settled()
    await until('the offers to be turned away', async () =>
      (await cluster.acceptedCalls()).slice(calls).some(({ call }) => call.type === 'SUPPRESS' || call.type === 'DECLINE'),
    )
    const types = new Set((await cluster.acceptedCalls()).slice(calls).map(({ call }) => call.type))
    expect(types).toContain('RECONCILE')
    expect(types).not.toContain('ACCEPT')
    expect(types).not.toContain('KILL')
    expect(servers()).toEqual(before)
    expect(taskOf((await scheduler.status()) ?? (await settled()), 'node-0-server')?.taskId).toBe(
      serverOf(before, 'node-0').taskId,
    )
  })
  test('one that was frozen and replaced ends when it wakes, and touches nothing', async () => {
    const before = servers()
    const frozen = scheduler
    frozen.freeze()
    scheduler = start('3')
    await settled()
    frozen.thaw()
    expect(await frozen.exited).toEqual({ code: 1, signal: null })
    expect(frozen.stderr()).toMatch(/another scheduler .* taken over|the lock .* was held by .*; stop that scheduler/)
    expect(frozen.stderr().trimEnd().split('\n')).toHaveLength(1)
    await settled()
    expect(servers()).toEqual(before)
    process.kill(serverOf(before, 'node-0').pid, 'SIGKILL')
    await scheduler.untilStatus(
      'the recovery',
      (status) => isSettled(status) && taskOf(status, 'node-0-server')?.taskId !== serverOf(before, 'node-0').taskId,
    )
    expect(without(servers(), 'node-0')).toEqual(without(before, 'node-0'))
  })
})

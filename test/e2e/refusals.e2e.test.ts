/**
 * What cannot be done is refused in one clear message, with what was attempted, on what, and what to do; a service that runs
 * is not disturbed by it.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LocalCluster, ZooKeeperServer } from 'stateward/local-cluster'
import type { SchedulerProgram } from './support/scheduler-program.js'
import { runningServers, serverOf } from './support/servers.js'
import { isSettled, taskOf } from './support/status.js'
import type { ToySettings } from './support/toy-spec.js'
import { createWorld, freePort } from './support/world.js'

const world = createWorld()
let zookeeper: ZooKeeperServer
let cluster: LocalCluster
let scheduler: SchedulerProgram

const start = (settings: Partial<ToySettings> = {}): SchedulerProgram =>
  world.startScheduler({ cluster: cluster.masterUrl, store: `zk://${zookeeper.connect}/stateward`, count: 1, ...settings })

beforeAll(async () => {
  ;[zookeeper, cluster] = await Promise.all([world.startZooKeeper(), world.startCluster({ agents: 1 })])
})

afterAll(() => world.end())

test('an invalid spec: all its problems are listed, and nothing is started', async () => {
  const invalid = start({ count: -1, server: { memoryMb: 1, restartPolicy: 'always' } })
  expect(await invalid.exited).toEqual({ code: 1, signal: null })
  const lines = invalid.stderr().trimEnd().split('\n')
  expect(lines[0]).toBe('the service spec has 3 problems:')
  expect(lines.slice(1).sort()).toEqual([
    expect.stringMatching(/^ {2}spec\.pods\.node\.count: .*>=0.* \(got -1\)$/),
    expect.stringMatching(/^ {2}spec\.pods\.node\.tasks\.server\.memoryMb: .*>=32.* \(got 1\)$/),
    expect.stringMatching(/^ {2}spec\.pods\.node\.tasks\.server\.restartPolicy: unknown key; remove or correct it$/),
  ])
  expect(invalid.log()).toEqual([])
  expect((await cluster.status()).frameworks).toEqual([])
})

test('an option that cannot be used is named, and nothing is started', async () => {
  const programs = [start({ store: 'file:./state' }), start({ cluster: 'zk://127.0.0.1:2181/mesos' })]
  for (const program of programs) expect(await program.exited).toEqual({ code: 1, signal: null })
  expect(programs.map((program) => program.stderr())).toEqual([
    'store must be zk://host1:2181,host2:2181/path or lmdb:/path (got "file:./state")\n',
    'masters cannot be found through ZooKeeper in this version (got zk://127.0.0.1:2181/mesos); ' +
      'name the masters as http://host:port, any of them leads to the leader\n',
  ])
  expect((await cluster.status()).frameworks).toEqual([])
})

describe('beside a service that runs', () => {
  let second: SchedulerProgram

  beforeAll(async () => {
    scheduler = start()
    await scheduler.untilStatus('the deployment', isSettled)
    // It waits for the lock during the other tests.
    second = start({ version: '2' })
  })

  test('a port in use for the HTTP API is named', async () => {
    const port = Number(new URL(await scheduler.url()).port)
    const other = start({ httpPort: port })
    expect(await other.exited).toEqual({ code: 1, signal: null })
    expect(other.stderr()).toMatch(
      new RegExp(`^cannot serve the HTTP API on 127\\.0\\.0\\.1:${port}: .*; free the port or choose another\n$`),
    )
  })

  describe('the HTTP API', () => {
    test.each([
      ['POST', '/v1/plans/upgrade/pause', 404, 'NO_SUCH_PLAN', 'there is no plan upgrade; there are: deploy'],
      ['POST', '/v1/plans/upgrade/resume', 404, 'NO_SUCH_PLAN', 'there is no plan upgrade; there are: deploy'],
      ['POST', '/v1/pods/node-7/restart', 404, 'NO_SUCH_POD', 'there is no pod node-7; there are: node-0'],
      ['POST', '/v1/plans/deploy/pause', 409, 'PLAN_COMPLETE', 'plan deploy is complete; there is nothing to pause'],
      ['GET', '/v1/nothing', 404, 'NOT_FOUND', 'there is no GET /v1/nothing'],
    ] as const)('answers %s %s with %i and says why', async (method, path, code, error, message) => {
      expect(await scheduler.request(method, path)).toEqual({ code, body: { error, message } })
    })
  })

  describe('the command line', () => {
    const cli = (...args: string[]) =>
      new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
        execFile(process.execPath, [join(import.meta.dirname, '../../dist/cli.js'), ...args], (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
        ),
      )

    test('shows the plans of a scheduler', async () => {
      const { code, stdout, stderr } = await cli('plans', '--url', await scheduler.url())
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/deploy COMPLETE/)
    })

    test('says in one line that there is no scheduler', async () => {
      const url = `http://127.0.0.1:${await freePort()}`
      const { code, stdout, stderr } = await cli('plans', '--url', url)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(
        new RegExp(
          `^[A-Z_]+: cannot reach a scheduler at ${url.replaceAll('.', '\\.')}: .*is it running, and is --url right\\?\n$`,
        ),
      )
    })

    test('says what exists when a plan does not', async () => {
      const { code, stdout, stderr } = await cli('pause', 'upgrade', '--url', await scheduler.url())
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/^\S+ POST \S+ answered 404: there is no plan upgrade; there are: deploy\n$/)
    })

    test.each([
      [['plan']],
      [['plans', '--uri', 'x']],
      [['pause']],
      [['plans', '--url', 'not a url']],
      [['cluster', 'up', '--agents', 'x']],
    ])('ends with code 2 when used wrongly: %j', async (args) => {
      const { code, stdout, stderr } = await cli(...args)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^error: /)
    })
  })

  test('a second scheduler of the service ends and names the first, which goes on leading', async () => {
    const before = runningServers(cluster)
    expect(await second.exited).toEqual({ code: 1, signal: null })
    const waiting = second.log().filter(({ msg }) => msg.startsWith('waiting for the lock of this service, held by '))
    expect(waiting).toHaveLength(1)
    expect(second.stderr()).toMatch(
      /^cannot lead as .+ pid \d+(?: \(http:\S+\))?: the lock \S+ on zk:\S+ was held by .+ pid \d+.* for .*; stop that scheduler/,
    )
    expect(second.stderr().trimEnd().split('\n')).toHaveLength(1)

    expect(runningServers(cluster)).toEqual(before)
    expect(scheduler.complaints().filter((line) => /another scheduler|taken over/.test(line))).toEqual([])
    const old = serverOf(before, 'node-0')
    expect(await scheduler.request('POST', '/v1/pods/node-0/restart')).toMatchObject({ code: 202 })
    await scheduler.untilStatus(
      'the restart',
      (status) => isSettled(status) && taskOf(status, 'node-0-server')?.taskId !== old.taskId,
    )
  })

  test('a change that cannot be carried out is refused with what to do, and the service stays as it is', async () => {
    const before = runningServers(cluster)
    await scheduler.end('SIGTERM')
    scheduler = start({ volumeMb: 32, version: '2' })
    const status = await scheduler.untilStatus('the refusal', (each) => each.rejected !== undefined && isSettled(each))
    const [refusal] = status.rejected?.reasons ?? []
    expect(status.rejected?.reasons).toHaveLength(1)
    expect(refusal).toMatchObject({ code: 'FOOTPRINT_UNSUPPORTED', path: 'pods.node' })
    expect(refusal?.reason).toMatch(/^volumes\.data changed, and instances hold reservations/)
    expect(refusal?.wayOut).toMatch(/^restore them, or add a pod type/)
    expect(scheduler.complaints()).toEqual([
      expect.stringContaining('the new spec was refused, the old target stays in force: pods.node: volumes.data changed'),
    ])
    expect(runningServers(cluster)).toEqual(before)
  })
})

/**
 * A standby on real processes: it says that it stands by and who leads, takes over when the leader is told to stop, without
 * waiting for a session to end, and stops in good order while it waits. What happens when the leader does not stop in good
 * order is the matter of `npm run verify -- split-brain`.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LocalCluster, ZooKeeperServer } from 'stateward/local-cluster'
import type { SchedulerProgram } from './support/scheduler-program.js'
import { linesOf, runningServers, serverOf } from './support/servers.js'
import { isSettled } from './support/status.js'
import { until } from './support/until.js'
import { createWorld } from './support/world.js'

/** The longest that the test server grants: what takes less did not wait for a session to end. */
const sessionTimeoutMs = 10_000
const cli = join(import.meta.dirname, '../../dist/cli.js')

const world = createWorld()
let zookeeper: ZooKeeperServer
let cluster: LocalCluster
let leader: SchedulerProgram
let standby: SchedulerProgram

const start = (): SchedulerProgram =>
  world.startScheduler({
    cluster: cluster.masterUrl,
    store: `zk://${zookeeper.connect}/stateward`,
    count: 1,
    standby: true,
    sessionTimeoutMs,
  })

beforeAll(async () => {
  ;[zookeeper, cluster] = await Promise.all([world.startZooKeeper(), world.startCluster({ agents: 1 })])
  leader = start()
  await leader.untilStatus('the service to be well', isSettled)
  standby = start()
})

afterAll(() => world.end())

test('says that it stands by and who leads: on HTTP, in its log, and on the command line', async () => {
  const url = await leader.url()
  expect(await leader.leadership()).toMatchObject({ role: 'leader', epoch: 1, storeAnswers: true })
  const { leader: named } = await standby.untilRole('standby')
  expect(named).toMatch(new RegExp(`pid ${leader.pid} \\(${url}\\)$`))
  expect(await standby.status()).toBeUndefined()
  expect(await standby.request('GET', '/v1/status')).toMatchObject({ code: 503, body: { error: 'NOT_LEADING' } })
  await standby.untilLog(/^standing by: .* leads this service; taking over as soon as its lock is free$/)
  const asked = promisify(execFile)(process.execPath, [cli, 'plans', '--url', await standby.url()])
  await expect(asked).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`${named} leads, ask that one`) as string,
  })
  expect(standby.complaints()).toEqual([])
})

test('takes over when the leader is told to stop, and no task notices', async () => {
  const before = runningServers(cluster)
  const calls = (await cluster.acceptedCalls()).length
  const toldAtMs = Date.now()
  expect(await leader.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await standby.untilRole('leader')).toMatchObject({ epoch: 2 })
  const first = await until('its first call', async () => (await cluster.acceptedCalls())[calls])
  expect(first.call.type).toBe('SUBSCRIBE')
  const tookMs = first.atMs - toldAtMs
  console.log(`from SIGTERM to the first call of the standby: ${tookMs} ms`)
  expect(tookMs).toBeLessThan(sessionTimeoutMs / 2)
  await standby.untilStatus('the service to be well', isSettled)
  expect(runningServers(cluster)).toEqual(before)
  expect(linesOf(serverOf(before, 'node-0'), 'starts')).toEqual(['1'])
})

test('stops in good order while it waits, and is missed by nobody', async () => {
  const another = start()
  await another.untilRole('standby')
  expect(await another.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect([another.complaints(), another.stderr()]).toEqual([[], ''])
  expect(await standby.leadership()).toMatchObject({ role: 'leader', epoch: 2, storeAnswers: true })
  const next = start()
  expect((await next.untilRole('standby')).leader).toContain(`pid ${standby.pid} `)
})

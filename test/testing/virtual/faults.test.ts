/** One fault each: what a scheduler is told, and what the books say afterwards. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findBooksProblem } from '../../../src/mesos-model/invariants.js'
import { buildVirtualAgents } from '../../../src/testing/virtual/options.js'
import { behaveAsSpecified } from '../../../src/testing/virtual/tasks.js'
import { databaseSpec } from '../../support/specs.js'
import { runService, type RunningService } from './running-service.js'

const second = 1_000
const minute = 60 * second
const task = 'db-0-server'

let service: RunningService
beforeEach(async () => {
  service = await runService()
})
afterEach(() => {
  expect(findBooksProblem(service.cluster.masterBooks())).toBeUndefined()
})

const advance = (ms: number): Promise<void> => service.cluster.advance(ms)
const liveIn = (): string | undefined => service.cluster.agentBooks(service.host)?.id
const hasVolume = (): boolean =>
  service.cluster.agentBooks(service.host)?.total.some((resource) => resource.disk?.persistence?.id === service.volume) === true
const processesOf = (story: readonly string[]): string[] => story.filter((line) => /^\S+ (started|ended|got)/.test(line))

describe('a cut between agent and master', () => {
  it('that is short delays what an agent tells, and nothing else', async () => {
    const { cluster, host, story } = service
    expect([cluster.cutAgent(host), cluster.cutAgent(host), cluster.cutAgent('nobody')]).toEqual([true, false, false])
    cluster.endTask(task, { code: 3 })
    await advance(20 * second)
    expect(story()).toEqual([`${task} ended: test`, `${task} made FAILED`])
    expect([cluster.healAgent(host), cluster.healAgent(host)]).toEqual([true, false])
    await advance(second)
    expect(story().slice(0, 2)).toEqual([expect.stringContaining(`${task} is FAILED (EXECUTOR`), 'executorFailed'])
    await advance(2 * minute)
    expect(story().filter((line) => line.includes('UNREACHABLE'))).toEqual([])
  })

  it('that is longer breaks the connection: the agent registers anew, under its id', async () => {
    const { cluster, host, agentId, story } = service
    cluster.cutAgent(host)
    await advance(45 * second)
    cluster.healAgent(host)
    await advance(2 * second)
    expect(story()).toEqual([`${host} is ${agentId.replace(/^.*-/, '')}`])
    expect(liveIn()).toBe(agentId)
  })

  it('beyond the ping budget makes it unreachable; it returns under its id, with its tasks', async () => {
    const { cluster, host, agentId, story } = service
    cluster.cutAgent(host)
    await advance(74 * second)
    expect(story()).toEqual([])
    await advance(2 * second)
    expect(story()).toEqual([`${task} is UNREACHABLE (MASTER, AGENT_REMOVED)`, 'agentFailed'])
    expect([...cluster.masterBooks().unreachable.keys()]).toEqual([agentId])
    cluster.healAgent(host)
    await advance(2 * second)
    const returned = story()
    expect(returned).toContain(`${task} is RUNNING (MASTER, AGENT_REREGISTERED)`)
    expect(processesOf(returned)).toEqual([])
    expect(liveIn()).toBe(agentId)
  })
})

describe('a slow link', () => {
  it('delays what an agent tells', async () => {
    const { cluster, host, story } = service
    cluster.slowAgent(host, 3 * second)
    cluster.endTask(task, { code: 3 })
    await advance(2 * second)
    expect(story().filter((line) => line.includes('is FAILED'))).toEqual([])
    await advance(2 * second)
    expect(story().filter((line) => line.includes('is FAILED'))).toHaveLength(1)
    expect([cluster.slowAgent(host, 0), cluster.slowAgent(host, 0)]).toEqual([true, false])
  })

  it('delays what a scheduler is told', async () => {
    const { cluster, story } = service
    cluster.slowScheduler(3 * second)
    cluster.endTask(task, { code: 3 })
    await advance(2 * second)
    expect(story()).toEqual([`${task} ended: test`, `${task} made FAILED`])
    await advance(2 * second)
    expect(story()).toContain('executorFailed')
  })
})

describe('a message', () => {
  it('of an agent that is lost is repeated, if it is an update', async () => {
    const { cluster, host, story } = service
    cluster.loseToMaster(host, 'statusUpdate')
    cluster.endTask(task, { code: 3 })
    await advance(9 * second)
    expect(story().filter((line) => line.includes('is FAILED'))).toEqual([])
    await advance(2 * second)
    expect(story().filter((line) => line.includes('is FAILED'))).toHaveLength(1)
  })

  it('of an agent that arrives twice is told twice', async () => {
    const { cluster, host, story } = service
    cluster.duplicateToMaster(host, 'statusUpdate')
    cluster.endTask(task, { code: 3 })
    await advance(second)
    expect(story().filter((line) => line.includes('is FAILED'))).toHaveLength(2)
  })

  it('to an agent that is lost comes to light when the agent registers anew', async () => {
    const { cluster, host, story } = service
    cluster.loseToAgent(host, 'launch')
    cluster.endTask(task, { code: 3 })
    await advance(30 * second)
    expect(processesOf(story())).toEqual([`${task} ended: test`])
    cluster.breakLink(host)
    await advance(second)
    expect(story()).toContain(`${task} is DROPPED (AGENT, RECONCILIATION)`)
  })

  it('that was to be lost is not, once that was taken back', async () => {
    const { cluster, host, story } = service
    cluster.loseToMaster(host)
    expect([cluster.disarm(), cluster.disarm()]).toEqual([true, false])
    cluster.endTask(task, { code: 3 })
    await advance(second)
    expect(story().filter((line) => line.includes('is FAILED'))).toHaveLength(1)
  })
})

describe('an agent process', () => {
  it('that is stopped and started loses no task', async () => {
    const { cluster, host, agentId, story } = service
    expect([cluster.stopAgent(host), cluster.stopAgent(host)]).toEqual([true, false])
    await advance(30 * second)
    expect([cluster.startAgent(host), cluster.startAgent(host)]).toEqual([true, false])
    await advance(20 * second)
    expect(story()).toEqual([`${host} is ${agentId.replace(/^.*-/, '')}`])
    expect(liveIn()).toBe(agentId)
  })

  it('learns at its start what has ended meanwhile', async () => {
    const { cluster, host, story } = service
    cluster.stopAgent(host)
    await advance(second)
    cluster.endTask(task, { code: 3 })
    cluster.killExecutor('db-0')
    await advance(5 * second)
    expect(story()).toEqual([`${task} ended: test`])
    cluster.startAgent(host)
    await advance(second)
    expect(story()).toContain(`${task} is FAILED (AGENT, EXECUTOR_TERMINATED)`)
  })

  it('that stays away for longer than executors wait finds its tasks ended', async () => {
    const { cluster, host, story } = service
    cluster.stopAgent(host)
    await advance(14 * minute)
    expect(processesOf(story())).toEqual([])
    await advance(2 * minute)
    expect(processesOf(story())).toEqual([`${task} got SIGTERM`, `${task} ended: signal`])
    cluster.startAgent(host)
    await advance(second)
    expect(story()).toContain(`${task} is KILLED (EXECUTOR)`)
  })

  it('that loses its identity comes back under another id, with its volumes; its tasks live on, unknown to it', async () => {
    const { cluster, host, agentId, story } = service
    expect(cluster.forgetIdentity(host)).toBe(false)
    cluster.stopAgent(host)
    await advance(second)
    expect(cluster.forgetIdentity(host)).toBe(true)
    cluster.startAgent(host)
    await advance(5 * minute)
    const after = story()
    expect(after).toContain(`${task} is LOST (MASTER, AGENT_REMOVED)`)
    expect(processesOf(after)).toEqual([])
    expect([liveIn() === agentId, hasVolume()]).toEqual([false, true])
    await advance(11 * minute)
    expect(processesOf(story()).slice(0, 2)).toEqual([`${task} got SIGTERM`, `${task} ended: signal`])
  })

  it('that registers twice for the first time is one agent', async () => {
    const { cluster, host, story } = service
    cluster.stopAgent(host)
    cluster.forgetIdentity(host)
    cluster.duplicateToMaster(host, 'register')
    cluster.startAgent(host)
    await advance(second)
    expect(story().filter((line) => line.startsWith(`${host} is `))).toEqual([`${host} is S3`, `${host} is S3`])
    expect(cluster.masterBooks().agents.size).toBe(3)
  })

  it('that hangs is unreachable in the end', async () => {
    const { cluster, host, story } = service
    cluster.deafenAgent(host)
    await advance(76 * second)
    expect(story()).toContain(`${task} is UNREACHABLE (MASTER, AGENT_REMOVED)`)
  })
})

describe('a machine that is down', () => {
  it('has ended all that ran there; it comes back under its id, with its volumes', async () => {
    const { cluster, host, agentId, story } = service
    expect([cluster.machineDown(host), cluster.machineDown(host), cluster.startAgent(host)]).toEqual([true, false, false])
    await advance(10 * second)
    expect(story()).toEqual([`${task} ended: machineDown`])
    expect(cluster.masterBooks().agents.get(agentId)?.link).toBeUndefined()
    expect([cluster.machineUp(host), cluster.machineUp(host)]).toEqual([true, false])
    await advance(second)
    expect(story()).toContain(`${task} is FAILED (AGENT, EXECUTOR_TERMINATED)`)
    expect([liveIn(), hasVolume()]).toEqual([agentId, true])
  })

  it('silently is not missed before the ping budget has passed', async () => {
    const { cluster, host, agentId, story } = service
    cluster.machineDown(host, true)
    await advance(74 * second)
    expect(story()).toEqual([`${task} ended: machineDown`])
    expect(cluster.masterBooks().agents.get(agentId)?.link).toBeDefined()
    await advance(2 * second)
    expect(story()).toContain(`${task} is UNREACHABLE (MASTER, AGENT_REMOVED)`)
    cluster.machineUp(host)
    await advance(second)
    expect([liveIn(), hasVolume()]).toEqual([agentId, true])
  })

  it('and loses its disk comes back as another, without volumes', async () => {
    const { cluster, host, agentId, story } = service
    cluster.machineDown(host)
    await advance(second)
    cluster.wipeDisk(host)
    cluster.machineUp(host)
    await advance(second)
    expect(story()).toContain(`${host} lost its disk`)
    expect([liveIn() === agentId, hasVolume()]).toEqual([false, false])
  })
})

describe('a master', () => {
  it('that fails over has its agents, their tasks and the framework back', async () => {
    const { cluster, story } = service
    expect([cluster.stopMaster(), cluster.stopMaster(), cluster.rescindOffers(), cluster.markGone('agent-1')]).toEqual([
      true,
      false,
      false,
      false,
    ])
    const { info, agents } = cluster.masterBooks()
    const names = [...agents.values()].map((agent) => `${agent.hostname} is ${agent.id.replace(/^.*-/, '')}`).sort()
    await advance(20 * second)
    expect([cluster.startMaster(), cluster.startMaster()]).toEqual([true, false])
    expect([...cluster.masterBooks().recovered.keys()]).toHaveLength(3)
    await advance(30 * second)
    const after = story()
    expect(after.slice(0, 3)).toEqual(['masterStopped', 'disconnected', 'masterStarted'])
    expect(after.filter((line) => / is S\d$/.test(line)).sort()).toEqual(names)
    expect(after).toContain('subscribed')
    expect(processesOf(after)).toEqual([])
    const [framework] = cluster.masterBooks().frameworks.values()
    expect([framework?.tasks.size, cluster.masterBooks().info.id === info.id]).toEqual([2, false])
  })

  it('marks an agent gone for ever', async () => {
    const { cluster, host, story } = service
    expect([cluster.markGone(host), cluster.markGone(host), cluster.markGone('nobody')]).toEqual([true, false, false])
    await advance(second)
    expect(story()).toEqual(
      expect.arrayContaining([
        'agentGone',
        `${task} is GONE_BY_OPERATOR (MASTER, AGENT_REMOVED_BY_OPERATOR)`,
        `${task} ended: executorKilled`,
      ]),
    )
    cluster.startAgent(host)
    await advance(second)
    expect([cluster.startAgent(host), story()]).toEqual([true, [`${task} made FAILED`]])
  })

  it('drains an agent, and takes it back', async () => {
    const { cluster, host, story } = service
    expect(cluster.drainAgent(host, { maxGraceMs: 2 * second })).toBe(true)
    await advance(20 * second)
    expect(story()).toContain(`${task} is KILLED (EXECUTOR, AGENT_DRAINING)`)
    expect(cluster.reactivateAgent(host)).toBe(true)
    await advance(20 * second)
    expect(story()).toContain(`${task} started on ${host}`)
  })

  it('has existing reservations in its books, and nobody touches them', async () => {
    const theirs = {
      name: 'cpus',
      type: 'SCALAR' as const,
      scalar: { value: 4 },
      reservations: [{ type: 'DYNAMIC' as const, role: 'others', principal: 'others' }],
    }
    const agents = buildVirtualAgents(3).map((machine) => ({ ...machine, existing: [theirs] }))
    service = await runService({ agents })
    for (const { hostname } of agents) expect(service.cluster.agentBooks(hostname)?.total).toContainEqual(theirs)
    service.cluster.stopAgent('agent-1')
    service.cluster.forgetIdentity('agent-1')
    expect(service.cluster.agentBooks('agent-1')?.total).toContainEqual(theirs)
    service.cluster.wipeDisk('agent-1')
    expect(service.cluster.agentBooks('agent-1')?.total).not.toContainEqual(theirs)
  })
})

describe('the connections of a scheduler', () => {
  it('that break are made anew', async () => {
    const { cluster, story } = service
    expect([cluster.breakStreams('b'), cluster.breakStreams()]).toEqual([false, true])
    await advance(5 * second)
    expect(story().slice(0, 2)).toEqual(['disconnected', 'subscribed'])
  })

  it.each([
    [20, []],
    [45, ['disconnected', 'subscribed']],
  ])('that are cut for %i s', async (seconds, expected) => {
    const { cluster, story } = service
    expect([cluster.cutScheduler('a1'), cluster.cutScheduler('a'), cluster.cutScheduler('b1')]).toEqual([true, false, true])
    await advance(seconds * second)
    expect(story()).toEqual([])
    cluster.healScheduler('a1')
    await advance(5 * second)
    expect(story().slice(0, 2)).toEqual(expected)
  })
})

describe('tasks', () => {
  it('end with their executor', async () => {
    const { cluster, story } = service
    expect([cluster.killExecutor('db-0'), cluster.killExecutor('db-7')]).toEqual([true, false])
    await advance(second)
    expect(story().slice(0, 4)).toEqual([
      `${task} ended: executorKilled`,
      `${task} made FAILED`,
      'executorFailed',
      `${task} is FAILED (AGENT, EXECUTOR_TERMINATED)`,
    ])
  })

  it('are not ready when their check says so, and cost nothing while it says the same', async () => {
    const { cluster, story } = service
    expect([cluster.setReady(task, false), cluster.setReady('nobody', false)]).toEqual([true, false])
    await advance(minute)
    expect(story()).toEqual([`${task} made RUNNING`, `${task} is RUNNING (EXECUTOR, TASK_CHECK_STATUS_UPDATED)`])
    cluster.setReady(task, true)
    await advance(minute)
    expect(story()).toEqual([`${task} made RUNNING`, `${task} is RUNNING (EXECUTOR, TASK_CHECK_STATUS_UPDATED)`])
    expect(cluster.endTask('nobody', { code: 1 })).toBe(false)
  })

  it('that ignore SIGTERM are killed after their grace period', async () => {
    const usual = behaveAsSpecified(databaseSpec({ count: 2 }))
    service = await runService({ behave: (info, launch) => ({ ...usual(info, launch), ignoresTerm: true }) })
    const { cluster, host, story } = service
    cluster.drainAgent(host)
    await advance(second)
    expect(processesOf(story())).toEqual([`${task} got SIGTERM`])
    await advance(minute)
    expect(processesOf(story()).slice(0, 2)).toEqual([`${task} got SIGKILL`, `${task} ended: signal`])
  })
})

/** A store rebuilt from what a virtual cluster shows is the store that was lost, and a scheduler on it touches nothing. */
import { beforeAll, describe, expect, test } from 'vitest'
import { noAnswers, type RebuildAnswers } from '../../src/doctor/evidence.js'
import { rebuildRecords, type RebuildRequest } from '../../src/doctor/rebuild.js'
import { rehearse } from '../../src/doctor/rehearse.js'
import { recordWrites } from '../../src/doctor/writes.js'
import { agentId, frameworkId, taskId } from '../../src/ids.js'
import { labelNames } from '../../src/offer-evaluator/labels.js'
import type { AgentView, ClusterView, KnownTask } from '../../src/scheduler/cluster-view.js'
import type { Records } from '../../src/scheduler/state.js'
import { parseRecords } from '../../src/scheduler/stored-records.js'
import { defineService } from '../../src/spec/parse.js'
import type { ServiceSpec } from '../../src/spec/schema.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { databaseSpec } from '../support/specs.js'
import { deployedService, isComplete, startService, type LivedService } from './support/lived-service.js'
import { furnishedSpec, richSpec } from './support/specs.js'

const rebuild = (spec: ServiceSpec, cluster: ClusterView, nowMs: number, more: Partial<RebuildRequest> = {}) =>
  rebuildRecords({ spec, previous: [], cluster, answers: noAnswers, nowMs, ids: createCountingIds(), ...more })

async function rebuilt(
  service: LivedService,
  spec: ServiceSpec,
  more: Partial<RebuildRequest> = {},
): Promise<{ records: Records; says: readonly string[] }> {
  const cluster = await service.view()
  const result = rebuild(spec, cluster, service.cluster.nowMs, more)
  if (!result.ok) throw new Error(result.reasons.join('\n'))
  expect(rehearse(spec, result.records, cluster, service.cluster.nowMs, { ids: createCountingIds() }).objections).toEqual([])
  return result
}

async function reasons(
  service: LivedService,
  spec: ServiceSpec,
  answers: Partial<RebuildAnswers> = {},
): Promise<readonly string[]> {
  const result = rebuild(spec, await service.view(), service.cluster.nowMs, { answers: { ...noAnswers, ...answers } })
  return result.ok ? ['it was rebuilt'] : result.reasons
}

const storeOf = (records: Records) =>
  createMemoryStore({ records: recordWrites(records).map(({ key, value }) => [key, value ?? ''] as const) })

/** The order of a ledger's lines means nothing. */
const byId = (entries: unknown): unknown =>
  new Map((entries as { resourceId: string }[]).map((entry) => [entry.resourceId, entry]))

/** Without what nobody can know any more: when things happened, what the executor said in between, who had it in hand last. */
function comparable(records: Records): unknown {
  const forgotten = new Set(['block', 'history', 'placedAtMs', 'runId', 'presumed'])
  const plain = (value: unknown): unknown => {
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key as string, plain(each)]).sort())
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).filter(([key, each]) => each !== undefined && !forgotten.has(key))
    return Object.fromEntries(
      entries.map(([key, each]) => [key, /AtMs$|^atMs$/.test(key) ? 'a time' : plain(key === 'entries' ? byId(each) : each)]),
    )
  }
  const { runs, ...rest } = records
  return {
    ...(plain(rest) as object),
    runs: [...runs.values()].map(({ plan, completedAtMs }) => [plan, completedAtMs !== undefined]),
  }
}

const liveTasks = ({ cluster }: LivedService): string[] =>
  [...cluster.masterBooks().frameworks.values()].flatMap(({ tasks }) => [...tasks.keys()]).sort()

/** A scheduler on the rebuilt store finds everything as it is; then a task that ends comes back where it was. */
async function expectTakenOver(service: LivedService, spec: ServiceSpec, records: Records, task: string): Promise<void> {
  const { cluster } = service
  const before = liveTasks(service)
  const from = cluster.log.length
  const scheduler = service.schedulerOn(storeOf(records))
  await scheduler.start(spec)
  await cluster.advance(120_000)
  expect(isComplete(scheduler)).toBe(true)
  expect(liveTasks(service)).toEqual(before)
  expect(service.callsSince(from)).not.toContain('KILL')
  expect(service.callsSince(from)).not.toContain('ACCEPT')
  expect(scheduler.status()?.unknownTasks).toEqual([])
  expect(scheduler.status()?.frameworkId).toBe(records.service?.frameworkId)
  const place = (name: string) => scheduler.status()?.instances.find((each) => name.startsWith(`${each.name}-`))
  const { agentId, volumes, ports } = place(task) ?? {}
  expect(cluster.endTask(task, { kind: 'exited', code: 1 } as never)).toBe(true)
  await cluster.advance(1_000)
  expect(await cluster.run(() => isComplete(scheduler), 600_000)).toBe(true)
  expect(place(task)).toMatchObject({ agentId, volumes, ports })
  expect(service.callsSince(from)).not.toContain('KILL')
  const changed = liveTasks(service).filter((id) => !before.includes(id))
  expect(changed).toEqual([expect.stringMatching(new RegExp(`^${task}__`))])
}

describe.each([
  ['one task in a pod', databaseSpec(), 'db-1-server'],
  ['several tasks, ports and volumes in a pod, one-time work, two pods', richSpec(), 'node-2-sidecar'],
  ['containers, health checks, limits', furnishedSpec(), 'db-1-sidecar'],
])('%s', (_what, spec, task) => {
  test('every record is found again', async () => {
    const service = await deployedService(spec)
    const { records, says } = await rebuilt(service, spec)
    expect(comparable(records)).toEqual(comparable(service.records()))
    expect(says).toEqual([])
  })

  test('a scheduler on it touches nothing, and recovers in place', async () => {
    const service = await deployedService(spec)
    await expectTakenOver(service, spec, (await rebuilt(service, spec)).records, task)
  })

  test('the same after the master was restarted, which remembers nothing that has ended', async () => {
    const service = await deployedService(spec)
    service.cluster.stopMaster()
    service.cluster.startMaster()
    await service.cluster.advance(60_000)
    // One-time work that nobody remembers: the operator has to say that it was done.
    const isDoubtful = Object.values(spec.pods).some((pod) => Object.values(pod.tasks).some(({ goal }) => goal === 'ONCE'))
    const used = isDoubtful ? ['node-0', 'node-1', 'node-2'] : []
    if (isDoubtful)
      expect(await reasons(service, spec)).toEqual(
        used.map(
          (name) =>
            `${name}: nothing tells whether its one-time task seed has succeeded, whether its one-time task index has succeeded; give --used ${name} if it ran and its one-time tasks have succeeded, or --new ${name} if it never ran`,
        ),
      )
    const { records } = await rebuilt(service, spec, { answers: { ...noAnswers, used } })
    await expectTakenOver(service, spec, records, task)
  })
})

describe('a service in the middle of something', () => {
  test('a task that had failed is recovered in place by the next scheduler', async () => {
    const spec = databaseSpec()
    const service = await deployedService(spec)
    service.cluster.endTask('db-1-server', { kind: 'exited', code: 1 } as never)
    await service.cluster.advance(5_000)
    const { records } = await rebuilt(service, spec)
    expect(records.tasks.get('db-1-server' as never)).toMatchObject({ value: 'ended', context: { outcome: 'failed' } })
    expect(records.runs.get('deploy')?.completedAtMs).toBeDefined()
    const before = liveTasks(service)
    const scheduler = service.schedulerOn(storeOf(records))
    await scheduler.start(spec)
    expect(await service.cluster.run(() => isComplete(scheduler), 600_000)).toBe(true)
    expect(scheduler.status()?.plans.map(({ name }) => name)).toEqual(['deploy', 'recovery'])
    expect(liveTasks(service).filter((id) => before.includes(id))).toHaveLength(2)
  })

  test('a deployment that was not complete goes on where it was', async () => {
    const spec = databaseSpec({ count: 4 })
    const service = startService(spec)
    await service.scheduler.start(spec)
    const isThird = () => liveTasks(service).some((id) => id.startsWith('db-2-server'))
    expect(await service.cluster.run(isThird, 600_000)).toBe(true)
    service.scheduler.crash()
    await service.cluster.advance(20_000)
    const before = liveTasks(service)
    const { records } = await rebuilt(service, spec, { answers: { ...noAnswers, fresh: freshOf(service, spec) } })
    expect(records.runs.get('deploy')?.completedAtMs).toBeUndefined()
    const from = service.cluster.log.length
    const scheduler = service.schedulerOn(storeOf(records))
    await scheduler.start(spec)
    expect(await service.cluster.run(() => isComplete(scheduler), 600_000)).toBe(true)
    expect(scheduler.status()?.instances).toHaveLength(4)
    expect(liveTasks(service)).toEqual(expect.arrayContaining(before))
    expect(service.callsSince(from)).not.toContain('KILL')
  })

  test('an update that was not complete goes on with the instances that it had not reached', async () => {
    const [first, second] = [databaseSpec({ version: '1' }), databaseSpec({ version: '2' })]
    const service = await deployedService(first)
    await service.scheduler.start(second)
    const isSecond = () =>
      service.scheduler
        .status()
        ?.instances.filter((each) => each.targetId === service.records().service?.targetId && each.owner === 'none' && each.ready)
        .length === 1
    expect(await service.cluster.run(isSecond, 600_000)).toBe(true)
    service.scheduler.crash()
    await service.cluster.advance(30_000)
    const refused = await reasons(service, second)
    expect(refused).toEqual(
      refused.map(() =>
        expect.stringMatching(
          /^db-\d: task db-\d-server__\S+ was launched from spec 1:\S+, and a scheduler with SPEC \(1:\S+\) would restart it; give the spec that is deployed, or that one as --previous$/,
        ),
      ),
    )
    const { records, says } = await rebuilt(service, second, { previous: [first] })
    expect(says).toEqual([expect.stringMatching(/^SPEC is not what runs everywhere: a scheduler rolls db-1, db-2 to it$/)])
    const rolled = liveTasks(service).find((id) => id.startsWith('db-0-server'))
    const scheduler = service.schedulerOn(storeOf(records))
    await scheduler.start(second)
    expect(await service.cluster.run(() => isComplete(scheduler), 600_000)).toBe(true)
    expect(scheduler.status()?.plans).toMatchObject([{ name: 'deploy' }, { name: 'update', status: 'COMPLETE' }])
    expect(liveTasks(service)).toContain(rolled)
  })

  test('a pod that an operator has paused stays paused', async () => {
    const spec = databaseSpec()
    const service = await deployedService(spec)
    await service.scheduler.start(spec)
    await service.cluster.advance(10_000)
    service.scheduler.command({ type: 'pausePod', instance: 'db-1' as never })
    await service.cluster.advance(60_000)
    await service.scheduler.stop()
    await service.cluster.advance(1_000)
    const { records } = await rebuilt(service, spec)
    expect(records.instances.get('db-1' as never)?.paused).toBe(true)
    expect(comparable(records)).toEqual(comparable(service.records()))
  })

  test('a framework that was removed: the service is founded anew on its reservations, with its data', async () => {
    const spec = databaseSpec()
    const service = await deployedService(spec)
    const old = service.records().service?.frameworkId ?? ''
    const body = JSON.stringify({ type: 'TEARDOWN', teardown: { framework_id: { value: old } } })
    const headers = { 'content-type': 'application/json' }
    service.cluster.request({ method: 'POST', path: '/api/v1', headers, body, streamId: '' })
    await service.cluster.advance(30_000)
    const { records, says } = await rebuilt(service, spec)
    expect(says).toEqual([`framework ${old} was removed: the service is founded anew on what it has reserved`])
    const volumes = [...service.records().instances.values()].map(({ footprint }) =>
      footprint?.entries.map(({ volume }) => volume),
    )
    const scheduler = service.schedulerOn(storeOf(records))
    await scheduler.start(spec)
    expect(await service.cluster.run(() => isComplete(scheduler), 600_000)).toBe(true)
    expect(scheduler.status()?.frameworkId).not.toBe(old)
    expect([...records.instances.values()].map(({ footprint }) => footprint?.entries.map(({ volume }) => volume))).toEqual(
      volumes,
    )
    // Initialised once and for ever.
    const started = service.cluster.log.flatMap((entry) => (entry.type === 'processStarted' ? [entry.process.name] : []))
    expect(started.filter((name) => name === 'db-0-format')).toHaveLength(1)
  })
})

/** Instances that have a footprint and no task, which only the operator can know to be new. */
const freshOf = (service: LivedService, spec: ServiceSpec): string[] =>
  Object.keys(spec.pods).flatMap((pod) =>
    [...service.records().instances.values()].flatMap((each) =>
      each.pod === pod && each.footprint !== undefined && !each.launched ? [`${pod}-${each.index}`] : [],
    ),
  )

describe('what is contradictory or too little is refused', () => {
  test.each<[string, (service: LivedService) => Promise<void> | void, ServiceSpec, RegExp]>([
    ['another command', () => undefined, databaseSpec({ version: '2' }), /^db-0: task db-0-server__\S+ was launched from spec/],
    [
      'fewer instances',
      () => undefined,
      databaseSpec({ count: 2 }),
      /^db-2: SPEC has no such instance, and there is (resources reserved|task)/,
    ],
    ['more instances', () => undefined, databaseSpec({ count: 4 }), /^it was rebuilt$/],
    [
      'another size',
      () => undefined,
      defineService({
        ...databaseSpec(),
        pods: { db: { ...databaseSpec().pods['db'], volumes: { data: { sizeMb: 2_048 } } } },
      } as never),
      /would restart it/,
    ],
    [
      'another user',
      () => undefined,
      defineService({ ...databaseSpec(), user: 'other' }),
      /^framework \S+ runs as user root, and SPEC has other/,
    ],
    [
      'another principal',
      () => undefined,
      defineService({ ...databaseSpec(), principal: 'other' }),
      /has principal store-principal, and SPEC has other/,
    ],
    [
      'an agent that is unreachable',
      async ({ cluster }) => {
        cluster.cutAgent('agent-1')
        await cluster.advance(300_000)
      },
      databaseSpec(),
      /is unreachable with its agent \S+, whose reservations cannot be seen; bring the agent back/,
    ],
    [
      'agents that are not back after a failover',
      async ({ cluster }) => {
        cluster.cutAgent('agent-1')
        cluster.stopMaster()
        cluster.startMaster()
        await cluster.advance(30_000)
      },
      databaseSpec(),
      /^1 agents are not back since the master was restarted \(\S+ \(agent-1\)\); wait until they are$/,
    ],
    [
      'a disk that was wiped',
      async ({ cluster }) => {
        cluster.machineDown('agent-1')
        cluster.wipeDisk('agent-1')
        cluster.machineUp('agent-1')
        await cluster.advance(600_000)
      },
      databaseSpec(),
      /^db-\d: the master remembers task \S+, and nothing is reserved for it any more; its data is gone unless its agent comes back. Give --new db-\d/,
    ],
    [
      'a scheduler that is subscribed',
      async (service) => {
        await service.scheduler.start(databaseSpec())
        await service.cluster.advance(10_000)
      },
      databaseSpec(),
      /^a scheduler is subscribed as framework \S+; stop it, whatever store it has$/,
    ],
  ])('%s', async (_what, change, spec, reason) => {
    const service = await deployedService(databaseSpec())
    await change(service)
    expect(await reasons(service, spec)).toContainEqual(expect.stringMatching(reason))
  })
})

describe('what is found is edited: contradictions', () => {
  const spec = databaseSpec()
  let service: LivedService
  let view: ClusterView
  beforeAll(async () => {
    service = await deployedService(spec)
    view = await service.view()
  })

  const judge = (change: Partial<ClusterView>, answers: Partial<RebuildAnswers> = {}): readonly string[] => {
    const result = rebuild(spec, { ...view, ...change }, service.cluster.nowMs, { answers: { ...noAnswers, ...answers } })
    return result.ok ? result.says : result.reasons
  }
  const server = (change: (task: KnownTask) => readonly KnownTask[]): Partial<ClusterView> => ({
    tasks: view.tasks.flatMap((task) => (task.name === 'db-1-server' ? change(task) : task)),
  })
  const without = (task: KnownTask, label: string): KnownTask => ({
    ...task,
    labels: task.labels.filter(({ key }) => !key.startsWith(label)),
  })
  const other = (id: string) => view.frameworks.map((framework) => ({ ...framework, id: frameworkId(id) }))
  const home = (change: (agent: AgentView) => AgentView): Partial<ClusterView> => ({
    agents: {
      ...view.agents,
      registered: view.agents.registered.map((agent) =>
        agent.resources.some(({ volume }) => volume?.persistenceId.startsWith('db-1-') === true) ? change(agent) : agent,
      ),
    },
  })
  const relabel = (agent: AgentView, key: string, from: RegExp, to: string): AgentView =>
    JSON.parse(JSON.stringify(agent), (_key, value: unknown) => {
      const label = value as { key?: string; value?: string } | null
      return label?.key === key ? { key, value: label.value?.replace(from, to) } : value
    }) as AgentView

  test.each<[string, () => readonly string[], RegExp]>([
    [
      'two frameworks',
      () => judge({ frameworks: [...view.frameworks, ...other('f2')] }),
      /^the cluster has several frameworks of this service: \S+-0000, f2; name the right one with --framework$/,
    ],
    [
      'the other of two frameworks is named',
      () => judge({ frameworks: [...view.frameworks, ...other('f2')] }, { frameworkId: 'f2' }),
      /^task db-\d-server__\S+ may live under framework \S+-0000; end it first$/,
    ],
    [
      'a framework that is none of it is named',
      () => judge({}, { frameworkId: 'f9' }),
      /^framework f9 is none of this service; there are: \S+-0000$/,
    ],
    [
      'two tasks of one name live',
      () => judge(server((task) => [task, { ...task, id: taskId('db-1-server__2') }])),
      /^db-1: db-1-server__\S+ on agent \S+ and db-1-server__2 on agent \S+ may both live; end all but the one that is right$/,
    ],
    [
      'a task without labels',
      () => judge(server((task) => [without(task, labelNames.task)])),
      /^db-1: task \S+ lacks stateward\.task; a version without these launched it$/,
    ],
    [
      'an executor that is not shown',
      () => judge({ executors: [] }),
      /^db-1: executor db-1__\S+ of its tasks is not shown; grant this principal view_executors$/,
    ],
    [
      'values that no task tells',
      () =>
        judge({
          tasks: view.tasks.map((task) => without(task, labelNames.value)),
          executors: view.executors.map((each) => ({ ...each, executor: { ...each.executor, labels: [] } })),
        }),
      /^value clusterId was generated once, and no task tells it any more; give it as --value clusterId=\.\.\.$/,
    ],
    [
      'values that contradict each other',
      () => judge({}, { values: { clusterId: 'x' } }),
      /^value clusterId is x in one place and \S+ in another/,
    ],
    [
      'a task that is not on what is reserved',
      () => judge(server((task) => [{ ...task, agentId: agentId('S77') }])),
      /^db-1: task \S+ may live on agent S77, and its newest reservations are of generation 1 on \S+/,
    ],
    [
      'nothing reserved for a task that lives',
      () => judge(home((agent) => ({ ...agent, resources: [] }))),
      /^db-1: task \S+ may live on agent \S+, and nothing is reserved for it there; end it/,
    ],
    [
      'labels of a reservation that contradict its id',
      () => judge(home((agent) => relabel(agent, labelNames.generation, /1/, '2'))),
      /has db-1\.\S+ reserved under the labels of this service, which contradict each other; unreserve it$/,
    ],
    [
      'a port that is not reserved',
      () => judge(home((agent) => ({ ...agent, resources: agent.resources.filter(({ name }) => name !== 'ports') }))),
      /^db-1 on \S+ \(\S+\): port client of task server is not reserved, so the footprint is incomplete$/,
    ],
    [
      'an amount that SPEC does not ask for',
      () =>
        judge(
          home((agent) => ({
            ...agent,
            resources: agent.resources.map((each) =>
              each.kind === 'scalar' && each.name === 'mem' && each.amount === 512_000 ? { ...each, amount: 256_000 } : each,
            ),
          })),
        ),
      /task\/server has 256 mem reserved, and SPEC asks for 512$/,
    ],
    [
      'somebody else reserved it',
      () => judge(home((agent) => JSON.parse(JSON.stringify(agent).replaceAll('store-principal', 'ops')) as AgentView)),
      /it is reserved by principal ops, and SPEC has store-principal$/,
    ],
    [
      'an option for an instance that does not exist',
      () => judge({}, { used: ['db-9'] }),
      /^db-9: SPEC has no such instance; correct the option$/,
    ],
    [
      'a living instance is said to be new',
      () => judge({}, { fresh: ['db-1'] }),
      /^db-1: --new says that it never ran, and db-1-server__\S+ may live; leave the option out$/,
    ],
    [
      'nothing of it ever seen to run',
      () => judge({ tasks: view.tasks.filter(({ name }) => !name.startsWith('db-1')) }),
      /^db-1: nothing tells whether anything of it ever ran; give --used db-1 if it ran .*, or --new db-1 if it never ran$/,
    ],
    [
      'what the operator says then counts',
      () => judge({ tasks: view.tasks.filter(({ name }) => !name.startsWith('db-1')) }, { used: ['db-1'] }),
      /^db-1: it ran before, as you said$/,
    ],
    [
      'an instance in the middle of which nothing is found',
      () =>
        judge({
          ...home((agent) => ({ ...agent, resources: [] })),
          tasks: view.tasks.filter(({ name }) => !name.startsWith('db-1')),
        }),
      /^db-1: nothing of it is found, and db-2, which is deployed after it, has run; its data is gone unless an agent comes back\. Give --new db-1/,
    ],
  ])('%s', (_what, look, line) => {
    expect(look()).toContainEqual(expect.stringMatching(line))
  })
})

test('what an earlier life of the service has left in the memory of the master tells nothing of this one', async () => {
  const spec = databaseSpec()
  const service = await deployedService(spec)
  const { cluster } = service
  const body = JSON.stringify({
    type: 'TEARDOWN',
    teardown: { framework_id: { value: service.records().service?.frameworkId ?? '' } },
  })
  cluster.request({ method: 'POST', path: '/api/v1', headers: { 'content-type': 'application/json' }, body, streamId: '' })
  for (const agent of ['agent-1', 'agent-2', 'agent-3', 'agent-4']) {
    cluster.machineDown(agent)
    cluster.wipeDisk(agent)
    cluster.machineUp(agent)
  }
  await cluster.advance(60_000)
  const store = createMemoryStore()
  const scheduler = service.schedulerOn(store)
  await scheduler.start(spec)
  expect(await cluster.run(() => isComplete(scheduler), 600_000)).toBe(true)
  await scheduler.stop()
  await cluster.advance(1_000)
  expect(comparable((await rebuilt(service, spec)).records)).toEqual(comparable(parseRecords(store.dump())))
})

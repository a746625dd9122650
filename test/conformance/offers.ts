/** Part C: offers, filters, suppression, constraints. */
import { expect } from 'vitest'
import { amountsOf, usualCapabilities, type Bench, type Framework, type Statement } from './bench.js'
import { attribute, launch, machine, reserve, reserved, scalar, task } from './messages.js'

const reservedFor = (...roles: readonly string[]): object => ({
  reservations: roles.map((role) => ({ type: 'DYNAMIC', role, principal: 'ops' })),
})

/** The same resources are in no two valid offers: what frameworks hold of one agent is never more than there is. */
function expectDisjoint(bench: Bench, frameworks: readonly Framework[]): void {
  for (const agent of ['agent-1', 'agent-2', 'agent-3']) {
    const open = frameworks.flatMap((framework) => framework.offers(agent)).flatMap((offer) => offer.resources ?? [])
    const spans = open.filter(({ name }) => name === 'ports').flatMap((resource) => resource.ranges?.range ?? [])
    const numbers = spans.reduce((sum, { begin, end }) => sum + end - begin + 1, 0)
    const cpus = Object.values(amountsOf(open, 'cpus')).reduce((sum, value) => sum + value, 0)
    expect(numbers).toBeLessThanOrEqual(1_000)
    expect(cpus).toBeLessThanOrEqual(4)
  }
  const ids = frameworks.flatMap((framework) => framework.offers()).map((offer) => offer.id.value)
  expect(ids.filter((id) => !bench.cluster.masterBooks().offers.has(id))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
}

const hosts = (framework: Framework): string[] =>
  framework
    .offers()
    .map((offer) => offer.hostname)
    .sort()

export const offers: readonly Statement[] = [
  {
    id: 'C1',
    says: 'an offer names itself, framework, agent, host and role, and all its resources are allocated to that role',
    hold(bench) {
      const framework = bench.subscribe()
      expect(framework.offers()).toHaveLength(3)
      for (const offer of framework.offers()) {
        expect(offer).toMatchObject({
          id: { value: expect.stringMatching(/-O\d+$/) },
          framework_id: { value: framework.id },
          agent_id: { value: bench.agentId(offer.hostname) },
          allocation_info: { role: 'db' },
        })
        for (const resource of offer.resources ?? []) expect(resource.allocation_info).toEqual({ role: 'db' })
      }
      expect(hosts(framework)).toEqual(['agent-1', 'agent-2', 'agent-3'])
    },
  },
  {
    id: 'C2',
    says: 'OFFERS holds its list in offers.offers',
    hold(bench) {
      const event = bench.subscribe().events.find(({ type }) => type === 'OFFERS')
      expect(event).toMatchObject({ type: 'OFFERS', offers: { offers: [{}, {}, {}] } })
    },
  },
  {
    id: 'C3',
    says: 'with RESERVATION_REFINEMENT offers use the new format only, without it the old one',
    options: { agents: [machine(1, { existing: [reserved(scalar('disk', 100))] })] },
    hold(bench) {
      const resourcesFor = (capabilities: readonly string[]): object[] => {
        const framework = bench.subscribe({ capabilities })
        const resources = [...(framework.offer().resources ?? [])]
        framework.call('TEARDOWN')
        return resources
      }
      for (const resource of resourcesFor(usualCapabilities)) {
        expect(resource).not.toHaveProperty('role')
        expect(resource).not.toHaveProperty('reservation')
      }
      const old = resourcesFor(['MULTI_ROLE', 'PARTITION_AWARE'])
      for (const resource of old) expect(resource).not.toHaveProperty('reservations')
      expect(old).toContainEqual(expect.objectContaining({ name: 'disk', role: 'db', reservation: { principal: 'p' } }))
      expect(old).toContainEqual(expect.objectContaining({ name: 'cpus', role: '*' }))
    },
  },
  {
    id: 'C4',
    says: 'the same resources are never in two valid offers',
    async hold(bench) {
      const frameworks = [bench.subscribe(), bench.subscribe({ roles: ['db', 'web'] })]
      for (let round = 0; round < 40; round++) {
        const framework = frameworks[round % 2] as Framework
        const offer = framework.offers()[round % 3]
        if (offer !== undefined && round % 4 === 0) framework.decline(offer, round % 5)
        else if (offer !== undefined)
          framework.accept(offer, [launch(task(offer, `t${round}`, { endsAfterMs: 3_000 }))], { refuse_seconds: round % 3 })
        if (round % 7 === 0) framework.call('REVIVE')
        if (round === 20) bench.cluster.stopAgent('agent-2')
        if (round === 25) bench.cluster.startAgent('agent-2')
        await bench.advance(700)
        expectDisjoint(bench, frameworks)
      }
      expect(
        frameworks.flatMap((framework) => framework.states()).filter((state) => state === 'TASK_FINISHED').length,
      ).toBeGreaterThan(10)
    },
  },
  {
    id: 'C5',
    says: 'a DECLINE for 3 s hides the resources that long, and no longer than two cycles more',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.decline(framework.offer(), 3)
      await bench.advance(2_990)
      expect(framework.offers('agent-1')).toEqual([])
      await bench.advance(2_010)
      expect(framework.offers('agent-1')).toHaveLength(1)
    },
  },
  {
    id: 'C6',
    says: 'a DECLINE for 0 s: offered again in the next cycle',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.decline(framework.offer(), 0)
      expect(framework.offers('agent-1')).toEqual([])
      await bench.advance(1_000)
      expect(framework.offers('agent-1')).toHaveLength(1)
    },
  },
  {
    id: 'C7',
    says: 'a long filter does not hide an agent on which more has become free',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.accept(framework.offer(), [launch(task(framework.offer(), 't', { endsAfterMs: 5_000 }))])
      await bench.advance(2_000)
      framework.decline(framework.offer(), 3_600)
      await bench.advance(2_000)
      expect(framework.offers('agent-1')).toEqual([])
      await bench.advance(4_000)
      expect(framework.states('t').at(-1)).toBe('TASK_FINISHED')
      expect(amountsOf(framework.offer().resources, 'cpus')).toEqual({ '': 4 })
    },
  },
  {
    id: 'C8',
    says: 'REVIVE ends filters at once',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.decline(framework.offer(), 3_600)
      await bench.advance(5_000)
      expect(framework.offers('agent-1')).toEqual([])
      framework.call('REVIVE')
      expect(framework.offers('agent-1')).toHaveLength(1)
    },
  },
  {
    id: 'C9',
    says: 'SUPPRESS stops new offers; those outstanding stay valid',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.call('SUPPRESS')
      framework.decline(framework.offer('agent-2'), 0)
      await bench.advance(10_000)
      expect(framework.rescinded()).toEqual([])
      expect(hosts(framework)).toEqual(['agent-1', 'agent-3'])
      framework.accept(framework.offer(), [launch(task(framework.offer(), 't'))])
      await bench.advance(1_000)
      expect(framework.states('t')).toEqual(['TASK_STARTING', 'TASK_RUNNING'])
      expect(hosts(framework)).toEqual(['agent-3'])
    },
  },
  {
    id: 'C10',
    says: 'SUPPRESS and REVIVE of a foreign role are 202 and do nothing at all',
    async hold(bench) {
      const framework = bench.subscribe({ roles: ['db', 'web'] })
      expect(framework.call('SUPPRESS', { roles: ['db', 'other'] }).status).toBe(202)
      const [offer] = framework.offers()
      if (offer !== undefined) framework.decline(offer, 0)
      await bench.advance(2_000)
      expect(framework.offers()).toHaveLength(3)
      for (const each of framework.offers()) framework.decline(each, 3_600)
      framework.forget()
      expect(framework.call('REVIVE', { roles: ['other'] }).status).toBe(202)
      framework.call('SUPPRESS', { roles: ['web'] })
      expect(framework.call('REVIVE', { roles: ['web', 'other'] }).status).toBe(202)
      await bench.advance(2_000)
      expect(framework.offers().filter((each) => each.allocation_info?.role === 'web')).toEqual([])
    },
  },
  {
    id: 'C11',
    says: 'suppressed_roles in SUBSCRIBE act like SUPPRESS; without them a new subscription is offered to again',
    async hold(bench) {
      const quiet = bench.subscribe({ roles: ['db', 'web'], subscribe: { suppressed_roles: ['db'] } })
      await bench.advance(3_000)
      expect(new Set(quiet.offers().map((offer) => offer.allocation_info?.role))).toEqual(new Set(['web']))
      quiet.leave()
      const silent = bench.subscribe({ id: quiet.id, subscribe: { suppressed_roles: ['db'] } })
      await bench.advance(3_000)
      expect(silent.offers()).toEqual([])
      silent.leave()
      expect(bench.subscribe({ id: quiet.id }).offers()).toHaveLength(3)
    },
  },
  {
    id: 'C12',
    says: 'DECLINE of an unknown offer is 202 and nothing else',
    async hold(bench) {
      const framework = bench.subscribe()
      framework.forget()
      expect(framework.call('DECLINE', { offer_ids: [{ value: 'nosuch-O1' }] }).status).toBe(202)
      await bench.advance(3_000)
      expect(framework.events).toEqual([])
      expect(framework.offers()).toHaveLength(3)
    },
  },
  {
    id: 'C13',
    says: 'offers are rescinded at once when an agent stops, after the ping budget when it only hangs',
    async hold(bench) {
      const framework = bench.subscribe()
      const [stopped, hanging] = [framework.offer('agent-1').id.value, framework.offer('agent-2').id.value]
      bench.cluster.stopAgent('agent-1')
      bench.cluster.machineDown('agent-2', true)
      await bench.advance(50)
      expect(framework.rescinded()).toEqual([stopped])
      await bench.advance(74_900)
      expect(framework.rescinded()).toEqual([stopped])
      await bench.advance(100)
      expect(framework.rescinded()).toContain(hanging)
      const late = framework.call('ACCEPT', {
        offer_ids: [{ value: stopped }],
        operations: [launch(task(framework.offer('agent-3'), 't'))],
      })
      expect(late.status).toBe(202)
      expect(framework.statuses('t')).toMatchObject([{ state: 'TASK_DROPPED', reason: 'REASON_INVALID_OFFERS' }])
    },
  },
  {
    id: 'C14',
    says: 'an agent without free cpus and memory hides its reserved disk, unless offer_filters ask for disk',
    options: {
      agents: [machine(1, { resources: [scalar('cpus', 1), scalar('mem', 512), scalar('disk', 1_000)], existing: [] })],
    },
    async hold(bench) {
      const framework = bench.subscribe()
      framework.accept(framework.offer(), [
        reserve(undefined, reserved(scalar('disk', 500))),
        launch(task(framework.offer(), 't', {}, { resources: [scalar('cpus', 1), scalar('mem', 512)] })),
      ])
      await bench.advance(5_000)
      expect(framework.offers()).toEqual([])
      framework.leave()
      const quantities = { quantities: [{ quantities: { disk: { value: 100 } } }] }
      const asking = bench.subscribe({
        id: framework.id,
        info: { offer_filters: { db: { min_allocatable_resources: quantities } } },
      })
      await bench.advance(2_000)
      expect(amountsOf(asking.offer().resources, 'disk')).toEqual({ db: 500, '': 500 })
    },
  },
  {
    id: 'C15',
    says: 'a constraint on an attribute hides agents with another value, and those without it',
    options: {
      agents: [
        machine(1, { attributes: [attribute('kind', 'ssd')] }),
        machine(2, { attributes: [attribute('kind', 'hdd')] }),
        machine(3),
      ],
    },
    async hold(bench) {
      const constraint = { selector: { attribute_name: 'kind' }, predicate: { text_equals: { value: 'ssd' } } }
      const groups = [{ attribute_constraints: [constraint] }]
      const framework = bench.subscribe({ subscribe: { offer_constraints: { role_constraints: { db: { groups } } } } })
      await bench.advance(3_000)
      expect(hosts(framework)).toEqual(['agent-1'])
    },
  },
  {
    id: 'C16',
    says: 'what is reserved for a is offered to a and a/b, what is reserved for a/b not to a',
    options: {
      agents: [
        machine(1, {
          existing: [
            { ...scalar('disk', 100), ...reservedFor('a') },
            { ...scalar('disk', 200), ...reservedFor('a', 'a/b') },
          ],
        }),
      ],
    },
    hold(bench) {
      const diskFor = (role: string): Record<string, number> => {
        const framework = bench.subscribe({ roles: [role] })
        const disk = amountsOf(framework.offer().resources, 'disk')
        framework.call('TEARDOWN')
        return disk
      }
      expect(diskFor('a')).toEqual({ '': 10_240, a: 100 })
      expect(diskFor('a/b')).toEqual({ '': 10_240, a: 100, 'a a/b': 200 })
      expect(diskFor('b')).toEqual({ '': 10_240 })
    },
  },
  {
    id: 'C17',
    says: 'with an offer timeout an unanswered offer is rescinded then',
    options: { timings: { master: { offerTimeoutMs: 3_000 } } },
    async hold(bench) {
      const framework = bench.subscribe()
      const first = framework.offers().map((offer) => offer.id.value)
      await bench.advance(2_990)
      expect(framework.rescinded()).toEqual([])
      await bench.advance(20)
      expect(framework.rescinded().sort()).toEqual(first.sort())
      await bench.advance(1_000)
      expect(framework.offers()).toHaveLength(3)
    },
  },
]

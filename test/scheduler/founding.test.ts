/** Whether a scheduler without a framework id may found its service: from what operators are shown to a verdict. */
import { describe, expect, test } from 'vitest'
import { agentId, frameworkId } from '../../src/ids.js'
import { judgeFounding, type FoundingVerdict } from '../../src/scheduler/founding.js'
import { noRecords, type Records } from '../../src/scheduler/state.js'
import type { ServiceRecord } from '../../src/scheduler/records/service-record.js'
import type { ClusterView } from '../../src/scheduler/cluster-view.js'
import { buildTarget } from '../../src/scheduler/target.js'
import { agent, clusterView, framework, knownTask, reserved } from '../support/cluster-view.js'
import { databaseSpec } from '../support/specs.js'

const spec = databaseSpec()
const service: ServiceRecord = {
  v: 2,
  name: 'store',
  user: 'root',
  principal: 'store-principal',
  targetId: buildTarget(spec).id,
  values: {},
  firstCounts: {},
}
/** A store that has begun to found: told that the cluster has nothing, and not yet given an id. */
const begun: Records = { ...noRecords, service: { ...service, founding: true } }

const judge = (view: Partial<ClusterView>, records: Records = noRecords, foundNew = false): FoundingVerdict =>
  judgeFounding(spec, records, clusterView(view), foundNew)

const recovered = [{ id: agentId('S9'), hostname: 'agent-9' }]

describe('a cluster that has nothing of the service', () => {
  test.each<[string, Partial<ClusterView>]>([
    ['is empty', {}],
    ['has another service', { frameworks: [framework({ name: 'other', roles: ['other-role'] })] }],
    ['has a namesake in another role', { frameworks: [framework({ roles: ['x'] })] }],
    ['has a removed framework of it that left nothing', { frameworks: [framework({ state: 'completed' })] }],
    ['has its finished tasks', { tasks: [knownTask({ list: 'completed', state: 'FINISHED' })] }],
    [
      'has reservations of another service',
      { agents: { ...clusterView().agents, registered: [agent([reserved('x', 'other')])] } },
    ],
    [
      'has reservations in another role',
      { agents: { ...clusterView().agents, registered: [agent([reserved('x', 'store', 'other-role')])] } },
    ],
  ])('%s: it may be founded', (_what, view) => {
    expect(judge(view)).toEqual({ kind: 'new' })
    expect(judge(view, begun)).toEqual({ kind: 'new' })
  })
})

describe('a cluster that has something of the service', () => {
  test.each<[string, Partial<ClusterView>, RegExp]>([
    ['a framework', { frameworks: [framework()] }, /^framework f-0001 of this name and role \(disconnected\)$/],
    ['one that a scheduler is subscribed as', { frameworks: [framework({ state: 'connected' })] }, /\(connected\)$/],
    ['one that its agents told of', { frameworks: [framework({ state: 'recovered' })] }, /\(recovered\)$/],
    ['a task that runs', { tasks: [knownTask()] }, /^task db-0-server__1 \(RUNNING\) on agent S1$/],
    ['a task that is unreachable', { tasks: [knownTask({ list: 'unreachable', state: 'UNREACHABLE' })] }, /\(UNREACHABLE\)/],
    [
      'a task under its labels in a framework without a name',
      { frameworks: [framework({ name: '', state: 'recovered' })], tasks: [knownTask()] },
      /^task db-0-server__1/,
    ],
    [
      'reservations',
      { agents: { ...clusterView().agents, registered: [agent([reserved('db-0.1.ab.executor/cpus'), reserved('x')])] } },
      /^2 reserved resources on agent S1 \(agent-1\), for example db-0\.1\.ab\.executor\/cpus$/,
    ],
  ])('%s: it is not founded again, whatever the operator says', (_what, view, line) => {
    for (const foundNew of [false, true])
      expect(judge(view, noRecords, foundNew)).toEqual({ kind: 'exists', found: [expect.stringMatching(line)] })
  })

  test('names the removed framework beside the reservations that it left', () => {
    const registered = [agent([reserved('x')])]
    const view = { frameworks: [framework({ state: 'completed' })], agents: { ...clusterView().agents, registered } }
    expect(judge(view)).toEqual({
      kind: 'exists',
      found: [expect.stringContaining('(completed)'), expect.stringContaining('1 reserved')],
    })
  })

  test('shows a few of many', () => {
    const tasks = Array.from({ length: 40 }, () => knownTask())
    const verdict = judge({ tasks })
    expect(verdict.kind === 'exists' && verdict.found).toHaveLength(6)
    expect(verdict).toMatchObject({ found: expect.arrayContaining(['and 35 more like it']) as unknown })
  })

  test('what a rebuilt store holds is its own', () => {
    const registered = [agent([reserved('db-0.1.ab.executor/cpus')])]
    const footprint = { entries: [{ resourceId: 'db-0.1.ab.executor/cpus' }] }
    const instances = new Map([['db-0', { footprint }]]) as unknown as Records['instances']
    expect(judge({ agents: { ...clusterView().agents, registered } }, { ...noRecords, service, instances })).toEqual({
      kind: 'new',
    })
  })
})

describe('agents that cannot be seen', () => {
  test('after a failover of the master: it waits for those that are not back, and names them', () => {
    const view = { agents: { registered: [agent()], recovered, unreachable: 0 } }
    expect(judge(view)).toEqual({ kind: 'wait', reason: expect.stringMatching(/waits for 1 of its agents.*S9 \(agent-9\)/) })
  })

  test.each([
    [2, /^2 agents are unreachable.*foundNew: true$/],
    [undefined, /^the master does not say how many.*foundNew: true$/],
  ])('%s unreachable: it waits for them or for the word of the operator', (unreachable, reason) => {
    const view = { agents: { registered: [agent()], recovered: [], unreachable } }
    expect(judge(view)).toEqual({ kind: 'wait', reason: expect.stringMatching(reason) })
    expect(judge(view, noRecords, true)).toEqual({ kind: 'new' })
  })

  test('a founding that was begun had seen them', () => {
    expect(judge({ agents: { registered: [], recovered, unreachable: 1 } }, begun)).toEqual({ kind: 'new' })
  })
})

describe('a founding that was begun', () => {
  test('takes the framework that it was given and could not store', () => {
    expect(judge({ frameworks: [framework()] }, begun)).toEqual({ kind: 'adopt', frameworkId: 'f-0001' })
  })

  test('takes none that has tasks or reservations: it has launched nothing', () => {
    expect(judge({ frameworks: [framework()], tasks: [knownTask()] }, begun)).toMatchObject({ kind: 'exists' })
  })

  test('takes none from a scheduler that is subscribed, and waits', () => {
    const verdict = judge({ frameworks: [framework({ state: 'connected' })] }, begun)
    expect(verdict).toEqual({ kind: 'wait', reason: expect.stringContaining('a scheduler is subscribed as f-0001') })
  })

  test('does not choose between two', () => {
    const frameworks = [framework(), framework({ id: frameworkId('f-0002') })]
    expect(judge({ frameworks }, begun)).toMatchObject({
      kind: 'exists',
      found: [/f-0001/, /f-0002/].map((each) => expect.stringMatching(each)),
    })
  })
})

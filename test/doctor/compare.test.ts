/** Store against cluster: nothing differs in a healthy service, and each difference is found, named and explained. */
import { beforeAll, describe, expect, test } from 'vitest'
import { compare } from '../../src/doctor/compare.js'
import { inBoth, type Finding, type FindingCode } from '../../src/doctor/findings.js'
import { renderDiagnosis } from '../../src/doctor/render.js'
import { SdkError } from '../../src/errors.js'
import { agentId, frameworkId, taskId } from '../../src/ids.js'
import { labelNames } from '../../src/offer-evaluator/labels.js'
import type { LedgerEntry } from '../../src/offer-evaluator/footprint-record.js'
import type { AgentView, ClusterView, KnownTask } from '../../src/scheduler/cluster-view.js'
import { noRecords, type Records } from '../../src/scheduler/state.js'
import { databaseSpec } from '../support/specs.js'
import { deployedService } from './support/lived-service.js'

const spec = databaseSpec()
let records: Records
let view: ClusterView

beforeAll(async () => {
  const service = await deployedService(spec)
  records = service.records()
  view = await service.view()
})

const found = (change: { records?: Partial<Records>; view?: Partial<ClusterView> }, own = spec): readonly Finding[] =>
  compare(own, { ...records, ...change.records }, { ...view, ...change.view }).findings

const instance = (name: string) => {
  const record = records.instances.get(name as never)
  if (record?.footprint === undefined) throw new Error(name)
  return { ...record, footprint: record.footprint }
}
/** One record of an instance changed. */
const withFootprint = (change: Partial<ReturnType<typeof instance>['footprint']>): Partial<Records> => {
  const db = instance('db-1')
  return { instances: new Map([...records.instances, ['db-1' as never, { ...db, footprint: { ...db.footprint, ...change } }]]) }
}
const entries = (change: (entry: LedgerEntry) => LedgerEntry | undefined): LedgerEntry[] =>
  instance('db-1').footprint.entries.flatMap((entry) => change(entry) ?? [])
const agents = (change: (agent: AgentView) => AgentView | undefined): Partial<ClusterView> => ({
  agents: { ...view.agents, registered: view.agents.registered.flatMap((agent) => change(agent) ?? []) },
})
const onHome = (change: (agent: AgentView) => AgentView | undefined) =>
  agents((agent) => (agent.id === instance('db-1').footprint.agentId ? change(agent) : agent))
const tasks = (change: (task: KnownTask) => readonly KnownTask[]): Partial<ClusterView> => ({
  tasks: view.tasks.flatMap((task) => (task.name === 'db-1-server' ? change(task) : task)),
})
const isVolume = (entry: LedgerEntry): boolean => entry.volume !== undefined
const isCpus = ({ part, name }: LedgerEntry): boolean => part === 'executor' && name === 'cpus'

test('nothing differs in a service that is well, and so it says', () => {
  const diagnosis = compare(spec, records, view)
  expect(diagnosis.findings).toEqual([])
  expect(diagnosis.compared).toEqual({ instances: 3, agents: 4, reservations: 27, tasks: 3 })
  expect(renderDiagnosis(diagnosis)).toMatch(
    /^service store: framework \S+, no scheduler leads\ncompared 3 stored instances with 27 reserved resources on 4 agents and 3 tasks that may live\nnothing differs$/,
  )
})

describe('a difference is found', () => {
  test.each<[FindingCode, string, () => readonly Finding[], RegExp]>([
    [
      'STORE_LOST',
      'store',
      () => compare(spec, noRecords, view).findings,
      /framework \S+ of this name and role.*27|reserved resources/,
    ],
    ['SPEC_DIFFERS', 'store', () => found({}, databaseSpec({ version: '2' })), /a start with it touches db-0, db-1, db-2$/],
    [
      'FRAMEWORK_UNKNOWN',
      'framework',
      () => found({ view: { frameworks: [] } }),
      /^it is stored, and the master does not show it$/,
    ],
    [
      'FRAMEWORK_REMOVED',
      'framework',
      () => found({ view: { frameworks: view.frameworks.map((each) => ({ ...each, state: 'completed' as const })) } }),
      /among the removed ones$/,
    ],
    [
      'FRAMEWORK_TWICE',
      'framework f-0002',
      () =>
        found({
          view: { frameworks: [...view.frameworks, ...view.frameworks.map((each) => ({ ...each, id: frameworkId('f-0002') }))] },
        }),
      /^it has the name and role of this service \(disconnected\), and the store has \S+-0000$/,
    ],
    ['AGENT_NOT_SEEN', 'db-1', () => found({ view: onHome(() => undefined) }), /^its agent \S+ \(agent-\d\) is not registered$/],
    [
      'NOT_RESERVED',
      'db-1 on',
      () =>
        found({
          view: onHome((agent) => ({ ...agent, resources: agent.resources.filter((each) => each.volume !== undefined) })),
        }),
      /^executor cpus 1\.\w+\.executor\/cpus is stored as reserved and is not reserved on the agent$/,
    ],
    [
      'VOLUME_NOT_THERE',
      'db-1 on',
      () =>
        found({
          view: onHome((agent) => ({ ...agent, resources: agent.resources.filter((each) => each.volume === undefined) })),
        }),
      /^volume\/data disk \S+ is stored as created and is not reserved on the agent$/,
    ],
    [
      'VOLUME_NOT_THERE',
      'db-1 on',
      () =>
        found({
          view: onHome((agent) => ({ ...agent, resources: agent.resources.map(({ volume: _gone, ...rest }) => rest) })),
        }),
      /is reserved, and volume db-1-data-\w+ is not on it$/,
    ],
    [
      'AMOUNT_DIFFERS',
      'db-1 on',
      () =>
        found({ records: withFootprint({ entries: entries((entry) => (isCpus(entry) ? { ...entry, amount: 700 } : entry)) }) }),
      /^executor cpus \S+ is 0\.1 on the agent and 0\.7 in the store$/,
    ],
    [
      'RESERVED_UNNOTED',
      'db-1 on',
      () =>
        found({
          records: withFootprint({ entries: entries((entry) => (isVolume(entry) ? { ...entry, state: 'reserved' } : entry)) }),
        }),
      /^volume\/data disk \S+ is stored as reserved, and the agent has it$/,
    ],
    [
      'FOOTPRINT_ELSEWHERE',
      'db-1',
      () => found({ view: onHome((agent) => ({ ...agent, id: agentId('S77') })) }),
      /^volume db-1-data-\w+ is on agent S77 \(agent-\d\), and the store has it on agent \S+$/,
    ],
    [
      'STRAY_RESERVATION',
      'db-1 on',
      () => found({ records: withFootprint({ entries: entries((entry) => (isVolume(entry) ? undefined : entry)) }) }),
      /^1 resources with volume db-1-data-\w+ of generation 1 \(\w+\)$/,
    ],
    [
      'TASK_NOT_IN_STORE',
      'db-1-server__other',
      () => found({ view: tasks((task) => [task, { ...task, id: taskId('db-1-server__other') }]) }),
      /^RUNNING on agent \S+, framework \S+; the store has db-1-server__\S+$/,
    ],
    [
      'TASK_NOT_AT_MASTER',
      'db-1-server',
      () => found({ view: tasks(() => []) }),
      /^stored as running on agent \S+, and the master does not know/,
    ],
    [
      'TASK_STATE_DIFFERS',
      'db-1-server',
      () => found({ view: tasks((task) => [{ ...task, state: 'FAILED' }]) }),
      /^stored as running, and the master has FAILED$/,
    ],
    [
      'TASK_STATE_DIFFERS',
      'db-1-server',
      () => found({ view: tasks((task) => [{ ...task, state: 'UNREACHABLE', list: 'unreachable' }]) }),
      /^stored as running, and the master has UNREACHABLE$/,
    ],
    [
      'TASK_ELSEWHERE',
      'db-1-server',
      () => found({ view: tasks((task) => [{ ...task, agentId: agentId('S77') }]) }),
      /the master has it on S77$/,
    ],
    [
      'LABELS_DIFFER',
      'db-1-server',
      () =>
        found({
          view: tasks((task) => [
            {
              ...task,
              labels: task.labels.map((label) => (label.key === labelNames.generation ? { ...label, value: '7' } : label)),
            },
          ]),
        }),
      /^stateward\.generation is 7, and the record has 1$/,
    ],
  ])('%s %s', (code, subject, look, text) => {
    const finding = look().find((each) => each.code === code)
    expect(finding?.subject).toMatch(new RegExp(`^${subject}`))
    expect(finding?.found).toMatch(text)
    expect(finding?.means.length).toBeGreaterThan(20)
    expect(finding?.advice.length).toBeGreaterThan(20)
  })

  test('records that cannot be read are one finding, and nothing is compared with them', () => {
    const error = new SdkError('ERR_STORED_STATE', 'cannot read the stored record tasks/x: v', { details: { record: 'tasks/x' } })
    const diagnosis = compare(spec, error, view)
    expect(diagnosis.findings).toMatchObject([{ code: 'RECORDS_UNREADABLE', subject: 'tasks/x', found: error.message }])
  })

  test('a service that is new everywhere is no difference', () => {
    const empty = { ...view, frameworks: [], tasks: [], ...agents((agent) => ({ ...agent, resources: [] })) }
    expect(compare(spec, noRecords, empty).findings).toEqual([])
  })
})

test('what cannot be seen is noted', () => {
  const cut = { ...view.agents, recovered: [{ id: agentId('S9'), hostname: 'x' }], unreachable: 2 }
  expect(compare(spec, records, { ...view, agents: cut }).notes).toEqual([
    '1 agents are not back since the master was restarted: what they hold could not be seen',
    '2 agents are unreachable: what they hold could not be seen',
  ])
})

test('what only one of two looks has found was under way', () => {
  const first = found({ view: tasks(() => []) })
  const second = found({ view: tasks((task) => [{ ...task, state: 'FAILED' }]) })
  expect(inBoth(first, second)).toEqual([])
  expect(inBoth(first, first)).toEqual(first)
})

test('is printed line by line, each with what it means and what to do', () => {
  const text = renderDiagnosis({ ...compare(spec, records, { ...view, ...tasks(() => []) }), leader: 'host1 pid 7' })
  expect(text.split('\n').slice(-4)).toEqual([
    expect.stringMatching(/^TASK_NOT_AT_MASTER db-1-server: stored as running/),
    expect.stringMatching(/^ {2}means: the store counts on a task/),
    expect.stringMatching(/^ {2}do: start the scheduler/),
    '1 difference',
  ])
  expect(text).toContain('led by host1 pid 7')
})

/** The operator API: answers recorded from Mesos are read, the leader is found, and what goes wrong is said. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createOperatorClient } from '../../src/mesos/operator-client.js'
import { parseOperatorAnswer, type OperatorCallType } from '../../src/mesos/messages-operator.js'
import { scriptedMaster } from './support/driven.js'
import type { ReceivedRequest } from './support/scripted-master.js'

const recorded = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../fixtures/operator-answers/${name}.json`, import.meta.url), 'utf8')) as Record<
    string,
    unknown
  >

const json = { 'content-type': 'application/json' }
const empty = ({ body, status }: ReceivedRequest): void => status(200, JSON.stringify({ type: body.type }), json)
const answering =
  (answers: Partial<Record<OperatorCallType, unknown>>) =>
  (request: ReceivedRequest): void => {
    const answer = answers[request.body.type as OperatorCallType]
    if (answer === undefined) empty(request)
    else request.status(200, JSON.stringify(answer), json)
  }

describe('what a Mesos master answers', () => {
  test('frameworks: a removed one is known by name and role', async () => {
    const master = await scriptedMaster(answering({ GET_FRAMEWORKS: recorded('frameworks') }))
    const [framework, ...others] = await createOperatorClient({ masters: master.url }).frameworks()
    expect(others).toEqual([])
    expect(framework).toEqual({
      id: '1b28a9a5-6f58-44cb-bc5e-136563fc3266-0000',
      name: 'capture',
      roles: ['web'],
      user: 'root',
      principal: 'capture',
      state: 'completed',
    })
  })

  test('agents: address, fault domain and everything they have', async () => {
    const metrics = { type: 'GET_METRICS', get_metrics: { metrics: [{ name: 'master/slaves_unreachable', value: 2 }] } }
    const master = await scriptedMaster(answering({ GET_AGENTS: recorded('agents'), GET_METRICS: metrics }))
    const { registered, recovered, unreachable } = await createOperatorClient({ masters: master.url }).agents()
    expect({ recovered, unreachable }).toEqual({ recovered: [], unreachable: 2 })
    expect(registered.map(({ hostname }) => hostname)).toEqual(['agent3.local', 'agent1.local', 'agent2.local'])
    expect(registered[0]).toMatchObject({ address: '127.0.0.1', region: 'region-b', zone: 'zone-1', isActive: true })
    expect(registered[0]?.resources.map(({ name, reservations }) => [name, reservations])).toEqual([
      ['cpus', []],
      ['mem', []],
      ['disk', []],
      ['ports', []],
    ])
  })

  test('agents that are not back after a failover, and reservations in both notations', async () => {
    const labels = { labels: [{ key: 'stateward.service', value: 'kafka' }] }
    const reservation = { role: 'kafka-role', principal: 'p', labels }
    const resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1.1 }, role: 'kafka-role' }
    const both = { ...resource, reservation: { principal: 'p', labels }, reservations: [{ type: 'DYNAMIC', ...reservation }] }
    const agents = {
      agents: [{ agent_info: { hostname: 'a', id: { value: 'S1' } }, active: true, total_resources: [both] }],
      recovered_agents: [{ hostname: 'b', id: { value: 'S2' } }],
    }
    const master = await scriptedMaster(answering({ GET_AGENTS: { type: 'GET_AGENTS', get_agents: agents } }))
    const view = await createOperatorClient({ masters: master.url }).agents()
    expect(view.recovered).toEqual([{ id: 'S2', hostname: 'b' }])
    expect(view.unreachable).toBeUndefined()
    expect(view.registered[0]?.resources).toEqual([
      {
        kind: 'scalar',
        name: 'cpus',
        amount: 1100,
        reservations: [{ type: 'DYNAMIC', role: 'kafka-role', principal: 'p', labels: labels.labels }],
      },
    ])
  })

  test('tasks: which of the three lists they are in, and every status with its time', async () => {
    const master = await scriptedMaster(answering({ GET_TASKS: recorded('tasks') }))
    const tasks = await createOperatorClient({ masters: master.url }).tasks()
    expect(tasks.map(({ id, state, list }) => [id, state, list])).toEqual([
      ['v-f', 'RUNNING', 'known'],
      ['v-b', 'FINISHED', 'completed'],
      ['v-a', 'FINISHED', 'completed'],
      ['v-c', 'FINISHED', 'completed'],
      ['v-d', 'FINISHED', 'completed'],
      ['mr-1', 'KILLED', 'completed'],
    ])
    expect(tasks[0]).toMatchObject({ executorId: 'ev5', agentId: '2e24e4b7-3234-470a-9b72-ca6d1abdae89-S1' })
    expect(tasks[0]?.statuses.map(({ state, sentAtMs }) => [state, sentAtMs])).toEqual([
      ['STARTING', 1795230217054],
      ['RUNNING', 1795230217747],
    ])
  })

  test.each<OperatorCallType>(['GET_FRAMEWORKS', 'GET_AGENTS', 'GET_TASKS', 'GET_EXECUTORS', 'GET_OPERATIONS'])(
    '%s with its payload left out is empty',
    (type) => {
      const lists = Object.values(parseOperatorAnswer(type, { type })) as unknown[]
      expect(lists.length).toBeGreaterThan(0)
      expect(lists.flat()).toEqual([])
    },
  )

  test('a task state of a newer Mesos never counts as an end; an entry that cannot be read is not left out', () => {
    const task = { task_id: { value: 't' }, framework_id: { value: 'f' }, agent_id: { value: 'S1' }, state: 'TASK_DREAMING' }
    const answer = (tasks: object[]) => parseOperatorAnswer('GET_TASKS', { type: 'GET_TASKS', get_tasks: { tasks } })
    expect(answer([task]).tasks[0]?.state).toBe('TASK_UNKNOWN')
    expect(() => answer([{ ...task, agent_id: undefined }])).toThrow(/GET_TASKS cannot be read: tasks\.0\.agent_id/)
  })
})

describe('the way to the leader', () => {
  test('follows a redirect to the operator API of the leader, with the credentials, and remembers it', async () => {
    const leader = await scriptedMaster(empty)
    const location = `${leader.url.replace('http:', '').replace('127.0.0.1', 'leader.example')}/master/api/v1`
    const standby = await scriptedMaster(({ status }) => status(307, '', { location }))
    const client = createOperatorClient({
      masters: standby.url,
      credentials: { principal: 'ops', secret: 'geheim' },
      mapHost: (host) => (host === 'leader.example' ? '127.0.0.1' : host),
    })
    expect(await client.frameworks()).toEqual([])
    expect(await client.operations()).toEqual([])
    expect(standby.requests.map(({ path }) => path)).toEqual(['/api/v1'])
    expect(leader.requests.map(({ path, body }) => [path, body])).toEqual([
      ['/master/api/v1', { type: 'GET_FRAMEWORKS' }],
      ['/master/api/v1', { type: 'GET_OPERATIONS' }],
    ])
    expect(leader.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ops:geheim').toString('base64')}`)
  })

  test('asks the next master when one does not lead or does not answer', async () => {
    const recovering = await scriptedMaster(({ status }) => status(503, 'Master has not finished recovery'))
    const dead = await scriptedMaster(({ cut }) => cut())
    const leader = await scriptedMaster(empty)
    const client = createOperatorClient({ masters: [recovering.url, dead.url, leader.url], random: () => 0.99 })
    expect(await client.tasks()).toEqual([])
  })
})

describe('what goes wrong', () => {
  test.each([401, 403])('%d: says what was asked, by whom it was refused, and which permission is needed', async (code) => {
    const master = await scriptedMaster(({ status }) => status(code, 'no'))
    await expect(createOperatorClient({ masters: master.url }).tasks()).rejects.toMatchObject({
      code: 'ERR_NOT_PERMITTED',
      retryable: false,
      message:
        `the Mesos master does not let this principal ask GET_TASKS of its operator API at ${master.url}: it answered ${code} (no); ` +
        'give credentials of a principal that may (permission view_frameworks and view_tasks)',
    })
  })

  test('a standby that refuses is not the leader that refuses', async () => {
    const standby = await scriptedMaster(({ status }) => status(401, 'no'))
    const dead = await scriptedMaster(({ cut }) => cut())
    await expect(createOperatorClient({ masters: [standby.url, dead.url] }).frameworks()).rejects.toMatchObject({
      code: 'ERR_MASTER_UNREACHABLE',
      retryable: true,
    })
  })

  test('an answer that is none, and a call that the master does not know', async () => {
    const master = await scriptedMaster(({ status }) => status(200, '<html>'))
    const client = createOperatorClient({ masters: master.url })
    await expect(client.frameworks()).rejects.toMatchObject({ code: 'ERR_PROTOCOL', retryable: false })
    master.answer(({ status }) => status(501, 'not implemented'))
    await expect(client.frameworks()).rejects.toThrow(
      /no usable answer to GET_FRAMEWORKS at .*: it answered 501 \(not implemented\)/,
    )
  })

  test('agents can be seen where the metrics are refused', async () => {
    const master = await scriptedMaster((request) => {
      if (request.body.type === 'GET_METRICS') request.status(403)
      else empty(request)
    })
    expect(await createOperatorClient({ masters: master.url }).agents()).toEqual({
      registered: [],
      recovered: [],
      unreachable: undefined,
    })
  })

  test('no answer in time', async () => {
    const master = await scriptedMaster(() => undefined)
    const client = createOperatorClient({ masters: master.url, answerTimeoutMs: 20 })
    await expect(client.frameworks()).rejects.toThrow(
      /^cannot reach a Mesos master at .*: no answer within 20 ms; check that the master runs/,
    )
  })
})

import { describe, expect, test } from 'vitest'
import {
  classifyFrameworkError,
  fromEvent,
  fromOffer,
  fromOperationStatus,
  fromTaskStatus,
  parseJson,
} from '../../src/mesos/convert-event.js'
import { parseEvent, type Event } from '../../src/mesos/messages.js'
import { mesosTaskStates } from '../../src/state-machine/task-events.js'
import { allEvents, eventsOf } from './support/transcripts.js'

const statusesOf = (name: string) =>
  eventsOf(name)
    .filter((event) => event.type === 'UPDATE')
    .map((event) => fromTaskStatus(event.update.status))

describe('offers', () => {
  test('an offer as recorded', () => {
    const event = eventsOf('01_subscribe_offers_heartbeat.jsonl', 'A').find(({ type }) => type === 'OFFERS')
    const converted = event && fromEvent(event, 7)
    expect(converted).toMatchObject({ type: 'offersReceived', atMs: 7 })
    const offers = converted?.type === 'offersReceived' ? converted.offers : []
    expect(offers).toHaveLength(3)
    expect(offers.find(({ hostname }) => hostname === 'agent1.local')).toMatchObject({
      address: '127.0.0.1',
      role: 'web',
      region: 'region-a',
      zone: 'zone-1',
      attributes: [
        { name: 'rack', value: 'r1' },
        { name: 'kind', value: 'ssd' },
        { name: 'gen', value: '7' },
      ],
      executorIds: [],
    })
    expect(offers[0]?.resources.find(({ name }) => name === 'mem')).toEqual({
      kind: 'scalar',
      name: 'mem',
      amount: 4_096_000,
      reservations: [],
    })
  })

  test('planned maintenance is read in milliseconds', () => {
    const offer = allEvents('OFFERS')
      .flatMap((event) => event.offers.offers ?? [])
      .find(({ unavailability }) => unavailability !== undefined)
    const nanoseconds = offer?.unavailability?.start.nanoseconds ?? 0
    expect(offer && fromOffer(offer).unavailableFromMs).toBe(Math.floor(nanoseconds / 1e6))
  })

  test('without url, domain and role there is still an answer', () => {
    const bare = { id: { value: 'o' }, framework_id: { value: 'f' }, agent_id: { value: 's' }, hostname: 'h' }
    expect(fromOffer(bare)).toEqual({
      id: 'o',
      agentId: 's',
      hostname: 'h',
      address: 'h',
      role: '*',
      attributes: [],
      resources: [],
      executorIds: [],
    })
  })
})

describe('statuses', () => {
  test('every recorded status has a state and a source that the core knows', () => {
    const statuses = allEvents('UPDATE').map((event) => fromTaskStatus(event.update.status))
    expect(statuses.length).toBeGreaterThan(100)
    for (const status of statuses) {
      expect(mesosTaskStates).toContain(status.state)
      expect(['MASTER', 'AGENT', 'EXECUTOR']).toContain(status.source)
      expect(status.reason ?? '').not.toMatch(/^REASON_/)
    }
  })

  test('an update of an executor, with its uuid, and one of the master, without', () => {
    const statuses = statusesOf('08_agent_kill9_unreachable_recovery.jsonl')
    expect(statuses.find(({ state }) => state === 'RUNNING')).toMatchObject({ source: 'EXECUTOR', uuid: expect.any(String) })
    const unreachable = statuses.find(({ state }) => state === 'UNREACHABLE')
    expect(unreachable).toMatchObject({ source: 'MASTER', reason: 'AGENT_REMOVED', agentId: expect.any(String) })
    expect(unreachable).not.toHaveProperty('uuid')
  })

  test('the exit code of a check, once it has a result; until then the recorded statuses have the type alone', () => {
    expect(statusesOf('12_command_tasks_health_kill.jsonl').some(({ checkExitCode }) => checkExitCode !== undefined)).toBe(false)
    const checked = (command: object) => {
      const checkStatus = { type: 'COMMAND', command }
      const status = { task_id: { value: 't' }, state: 'TASK_RUNNING', check_status: checkStatus }
      const event = parseEvent({ type: 'UPDATE', update: { status } })
      return event.type === 'UPDATE' ? fromTaskStatus(event.update.status) : undefined
    }
    expect(checked({})).toEqual({ taskId: 't', state: 'RUNNING', source: 'UNKNOWN' })
    expect(checked({ exit_code: 0 })?.checkExitCode).toBe(0)
  })

  test('a state of a later Mesos is no end of a task, and says nothing about an operation', () => {
    const task = parseEvent({ type: 'UPDATE', update: { status: { task_id: { value: 't' }, state: 'TASK_ASLEEP' } } })
    expect(task.type === 'UPDATE' && fromTaskStatus(task.update.status).state).toBe('UNKNOWN')
    const operation = parseEvent({
      type: 'UPDATE_OPERATION_STATUS',
      update_operation_status: { status: { operation_id: { value: 'o' }, state: 'OPERATION_ASLEEP' } },
    })
    expect(fromEvent(operation, 0)).toBeUndefined()
  })

  test('operation statuses: the uuid arrives in an object and is given as bare text', () => {
    const statuses = allEvents('UPDATE_OPERATION_STATUS').map((event) => event.update_operation_status.status)
    const finished = statuses.find(({ state, uuid }) => state === 'OPERATION_FINISHED' && uuid !== undefined)
    expect(finished && fromOperationStatus(finished)).toEqual({
      operationId: finished?.operation_id?.value,
      state: 'FINISHED',
      agentId: finished?.agent_id?.value,
      uuid: finished?.uuid?.value,
    })
    const refused = statuses.find(({ state }) => state === 'OPERATION_ERROR')
    expect(refused && fromOperationStatus(refused)).toMatchObject({ state: 'ERROR', message: expect.any(String) })
    expect(fromOperationStatus({ state: 'OPERATION_FINISHED' })).toBeUndefined()
  })
})

describe('other events', () => {
  test.each<[Event, unknown]>([
    [{ type: 'HEARTBEAT' }, undefined],
    [{ type: 'UNKNOWN' }, undefined],
    [{ type: 'INVERSE_OFFERS', inverse_offers: {} }, undefined],
    [
      { type: 'RESCIND', rescind: { offer_id: { value: 'o' } } },
      { type: 'offerRescinded', offerId: 'o', atMs: 5 },
    ],
    [
      { type: 'OFFERS', offers: {} },
      { type: 'offersReceived', offers: [], atMs: 5 },
    ],
    [
      { type: 'FAILURE', failure: { agent_id: { value: 's' } } },
      { type: 'agentFailed', agentId: 's', atMs: 5 },
    ],
    [
      { type: 'FAILURE', failure: { agent_id: { value: 's' }, executor_id: { value: 'e' }, status: 256 } },
      { type: 'executorFailed', agentId: 's', executorId: 'e', status: 256, atMs: 5 },
    ],
    [
      { type: 'FAILURE', failure: { agent_id: { value: 's' }, executor_id: { value: 'e' } } },
      { type: 'executorFailed', agentId: 's', executorId: 'e', status: -1, atMs: 5 },
    ],
    [{ type: 'FAILURE', failure: {} }, undefined],
  ])('%j', (event, expected) => {
    expect(fromEvent(event, 5)).toEqual(expected)
  })

  test('an infinite limit, written as no JSON allows, is read all the same', () => {
    expect(parseJson('{"a":-Infinity,"b":NaN,"c":"Infinity"}')).toEqual({ a: -Infinity, b: null, c: 'Infinity' })
    expect(() => parseJson('{"a":')).toThrow(SyntaxError)
    expect(() => parseJson('Infinity and more')).toThrow(SyntaxError)
  })
})

// Texts of the recorded ERROR events and of `master.cpp`.
test.each([
  ['Framework failed over', 'failedOver'],
  ['Framework has been removed', 'removed'],
  ["Changing framework's principal is not allowed.", 'refused'],
  ["'FrameworkInfo.roles' contains duplicate items: { web }", 'refused'],
  ["'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable", 'refused'],
  ['Not authorized to use roles [web]', 'refused'],
  ["Role 'web' is not present in the master's --roles", 'refused'],
  ["User 'root' is not allowed to run frameworks without root submissions enabled", 'refused'],
  ['Authorization failure: the authorizer is away', 'other'],
  ['Something nobody has heard of', 'other'],
])('the error "%s" counts as %s', (message, kind) => {
  expect(classifyFrameworkError(message)).toBe(kind)
})

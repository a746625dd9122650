import { describe, expect, test } from 'vitest'
import { agentId, executorId, targetConfigId, taskId } from '../../src/ids.js'
import { mesosTaskStates, type MesosTaskState } from '../../src/state-machine/task-events.js'
import { taskMachine, type TaskMachineEvent } from '../../src/state-machine/task-machine.js'
import { mayBeAlive, newTaskRecord, taskStates, type TaskLaunch, type TaskRecord } from '../../src/state-machine/task-record.js'
import { advanceTask } from '../../src/state-machine/transition.js'

const launch: TaskLaunch = {
  taskId: taskId('db-0-server__1'),
  agentId: agentId('agent-1'),
  executorId: executorId('db-0__1'),
  targetId: targetConfigId('1:a'),
  taskHash: '1:t',
  podHash: '1:p',
  generation: 1,
  atMs: 1_000,
}

const status = (type: MesosTaskState, ready = false): TaskMachineEvent => ({ type, atMs: 2_000, ready })
const after = (...events: readonly TaskMachineEvent[]): TaskRecord =>
  events.reduce((record, event) => advanceTask(record, event).record, newTaskRecord)
const launched = (...events: readonly TaskMachineEvent[]): TaskRecord => after({ type: 'launchDecided', launch }, ...events)

/** Every way in which each state that may have a process is reached. */
const alive: readonly (readonly [string, TaskRecord])[] = [
  ['launching', launched()],
  ['starting', launched(status('STARTING'))],
  ['running', launched(status('RUNNING'))],
  ['running and ready', launched(status('RUNNING', true))],
  ['killing, never seen', launched({ type: 'killDecided', atMs: 1_500 })],
  ['killing', launched(status('RUNNING'), { type: 'killDecided', atMs: 1_500 })],
  ['unreachable, never seen', launched(status('UNREACHABLE'))],
  ['unreachable', launched(status('RUNNING'), status('UNREACHABLE'))],
  ['unreachable while being killed', launched(status('RUNNING'), { type: 'killDecided', atMs: 1_500 }, status('LOST'))],
]

const everyEnd = new Set<MesosTaskState>(['FINISHED', 'FAILED', 'KILLED', 'GONE'])
const onlyIfNeverSeen = new Set<MesosTaskState>(['ERROR', 'DROPPED'])

describe('the life of a task', () => {
  test('has a state of the machine for every state of a record, and the other way round', () => {
    expect(Object.keys(taskMachine.states).sort()).toEqual([...taskStates].sort())
  })

  describe.for(alive)('%s', ([, record]) => {
    test.for(mesosTaskStates)('handles %s', (state) => {
      const { record: next, ignored } = advanceTask(record, status(state))
      expect(ignored).toBe(false)
      const ends = everyEnd.has(state) || (onlyIfNeverSeen.has(state) && !record.context.seen)
      expect(mayBeAlive(next)).toBe(!ends)
      expect(next.context.lastState).toBe(state)
    })

    test('keeps a decided kill until the end', () => {
      const { record: killed } = advanceTask(record, { type: 'killDecided', atMs: 3_000 })
      expect(killed.context.killAtMs).toBe(record.context.killAtMs ?? 3_000)
      for (const state of mesosTaskStates) {
        const { record: next } = advanceTask(killed, status(state))
        expect(next.context.killAtMs).toBe(killed.context.killAtMs)
        if (mayBeAlive(next)) expect(['killing', 'unreachable']).toContain(next.value)
      }
    })

    test('is launched again by nothing', () => {
      expect(advanceTask(record, { type: 'launchDecided', launch: { ...launch, taskId: taskId('other') } }).ignored).toBe(true)
    })
  })

  test.for(mesosTaskStates)('once ended it ignores %s, and so does a task that was never launched', (state) => {
    expect(advanceTask(launched(status('FAILED')), status(state))).toMatchObject({ ignored: true })
    expect(advanceTask(newTaskRecord, status(state))).toMatchObject({ ignored: true })
  })

  test('readiness latches, and goes with the end', () => {
    const ready = launched(status('RUNNING', true))
    expect(ready.context).toMatchObject({ ready: true, readyAtMs: 2_000 })
    expect(advanceTask(ready, status('RUNNING', false)).record.context.ready).toBe(true)
    expect(advanceTask(ready, status('UNREACHABLE')).record.context.ready).toBe(true)
    expect(advanceTask(ready, status('FAILED')).record.context.ready).toBe(false)
  })

  test.for<[MesosTaskState, boolean, string]>([
    ['FINISHED', true, 'finished'],
    ['FAILED', true, 'failed'],
    ['KILLED', true, 'killed'],
    ['GONE', true, 'gone'],
    ['GONE', false, 'neverRan'],
    ['DROPPED', false, 'neverRan'],
    ['ERROR', false, 'neverRan'],
  ])('%s of a task that was seen (%s) is the end "%s"', ([state, seen, outcome]) => {
    const record = seen ? launched(status('RUNNING'), status(state)) : launched(status(state))
    expect(record).toMatchObject({ value: 'ended', context: { outcome, endedAtMs: 2_000 } })
  })

  test('a success is remembered over later launches, everything else of the last one is forgotten', () => {
    const again = advanceTask(launched(status('RUNNING', true), status('FINISHED')), {
      type: 'launchDecided',
      launch: { ...launch, taskHash: '1:u' },
    }).record
    expect(again.value).toBe('launching')
    expect(again.context).toEqual({ launch: { ...launch, taskHash: '1:u' }, seen: false, ready: false, finishedHash: '1:t' })
  })
})

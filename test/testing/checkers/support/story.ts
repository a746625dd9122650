/**
 * A story for one checker: what happened, told entry by entry in the words of the log, with a clock that moves on after each.
 * `problems` is what the checker has reported.
 */
import type { Call, Event, TaskState } from '../../../../src/mesos/messages.js'
import type { RecordKey, Write } from '../../../../src/ports/state-store.js'
import type { DriverEvent, OperatorCommand, TaskStatus } from '../../../../src/scheduler/events.js'
import type { Ack, MesosCall } from '../../../../src/scheduler/output.js'
import type { ServiceSpec } from '../../../../src/spec/schema.js'
import type { CheckerDefinition } from '../../../../src/testing/checkers/checker.js'
import type { EndCause, LoggedProcess, News } from '../../../../src/testing/virtual/log.js'
import { databaseSpec } from '../../../support/specs.js'

/** One scheduler and its stream, unless a test says otherwise. */
interface By {
  readonly scheduler?: string
  readonly epoch?: number
  readonly streamId?: string
  /** @defaultValue now */
  readonly decidedAtMs?: number
}

type ProcessOf = Partial<LoggedProcess> & { readonly taskId: string }
/** An event without its time. */
type UntimedEvent = DriverEvent extends infer Each ? (Each extends unknown ? Omit<Each, 'atMs'> : never) : never

export interface Story {
  readonly problems: readonly string[]
  readonly nowMs: number
  /** Lets time pass. */
  pass(ms: number): Story
  happens(news: News): Story
  opens(by?: By & { readonly records?: ReadonlyMap<RecordKey, string> }): Story
  /** A batch lands a little after it was decided on. */
  commits(writes: readonly Write[], by?: By): Story
  delivers(event: UntimedEvent, by?: By): Story
  subscribes(by?: By): Story
  /** A task status reaches a scheduler. */
  tells(taskId: string, state: TaskStatus['state'], more?: Partial<TaskStatus>, by?: By): Story
  sends(call: MesosCall | Ack, by?: By): Story
  takes(call: Call, by?: By): Story
  /** The master sends an event. */
  emits(event: Event, by?: By): Story
  /** The master sends a status. */
  emitsStatus(taskId: string, state: TaskState, uuid: string, exitCode?: number): Story
  commands(command: OperatorCommand): Story
  /** A process starts; by default on the machine and the volume of its instance. */
  starts(process: ProcessOf): Story
  ends(process: ProcessOf, how?: { readonly code?: number; readonly cause?: EndCause }): Story
  rests(): Story
}

const stepMs = 10
const landingMs = 2
/** On one machine each: `db-0` on `agent-0`. */
export const hostOf = (instance: string): string => `agent-${instance.replace(/^.*-/, '')}`
export const agentOf = (instance: string): string => `${hostOf(instance)}-id`
export const volumeOfInstance = (instance: string): string => `${instance}-data-11111111`

const processOf = ({ taskId, ...given }: ProcessOf): LoggedProcess => {
  const name = taskId.split('__')[0] ?? taskId
  const instance = name.replace(/-[^-]*$/, '')
  return {
    taskId,
    name,
    agentId: agentOf(instance),
    hostname: hostOf(instance),
    volumes: [volumeOfInstance(instance)],
    ...given,
  }
}

export function watch(definition: CheckerDefinition, specs: readonly ServiceSpec[] = [databaseSpec()]): Story {
  const problems: string[] = []
  const stored = new Map<RecordKey, string>()
  let nowMs = 1_000_000
  const checker = definition.create({
    read: (key) => {
      const text = stored.get(key)
      return text === undefined ? undefined : JSON.parse(text)
    },
    keys: () => stored.keys(),
    specs: () => specs,
    nowMs: () => nowMs,
    report: (problem) => void problems.push(problem),
  })
  const add = (news: News, atMs = nowMs): Story => {
    nowMs = Math.max(nowMs, atMs)
    checker.onEntry({ atMs, ...news })
    nowMs += stepMs
    return story
  }
  const by = ({ scheduler = 'a1', epoch = 1, streamId = 's1', decidedAtMs = nowMs }: By = {}) => ({
    scheduler,
    epoch,
    streamId,
    decidedAtMs,
  })

  const story: Story = {
    problems,
    get nowMs() {
      return nowMs
    },
    pass(ms) {
      nowMs += ms
      return story
    },
    happens: (news) => add(news),
    opens(given) {
      const { scheduler, epoch } = by(given)
      return add({ type: 'sessionOpened', scheduler, epoch, records: given?.records ?? new Map(stored) })
    },
    commits(writes, given) {
      const { scheduler, epoch, decidedAtMs } = by(given)
      for (const { key, value } of writes)
        if (value === null) stored.delete(key)
        else stored.set(key, value)
      return add({ type: 'committed', scheduler, epoch, decidedAtMs, writes }, nowMs + landingMs)
    },
    delivers: (event, given) =>
      add({ type: 'eventDelivered', scheduler: by(given).scheduler, event: { ...event, atMs: nowMs } as DriverEvent }),
    subscribes: (given) =>
      story.delivers({ type: 'subscribed', streamId: by(given).streamId, frameworkId: 'f1' } as UntimedEvent, given),
    tells(taskId, state, more = {}, given) {
      const status = { taskId, state, source: 'EXECUTOR', ...more } as TaskStatus
      return story.delivers({ type: 'taskStatusReceived', status }, given)
    },
    sends(call, given) {
      const { scheduler, streamId, decidedAtMs } = by(given)
      return add({ type: 'callSent', scheduler, streamId, decidedAtMs, call })
    },
    takes: (call, given) => add({ type: 'callTaken', streamId: by(given).streamId, call }),
    emits: (event, given) => add({ type: 'eventSent', streamId: by(given).streamId, event }),
    emitsStatus: (taskId, state, uuid, exitCode) =>
      story.emits({
        type: 'UPDATE',
        update: {
          status: {
            task_id: { value: taskId },
            state,
            uuid,
            ...(exitCode === undefined ? {} : { check_status: { command: { exit_code: exitCode } } }),
          },
        },
      }),
    commands: (command) => add({ type: 'commandGiven', command }),
    starts: (process) => add({ type: 'processStarted', process: processOf(process) }),
    ends: (process, { cause = 'itself', ...code } = {}) =>
      add({ type: 'processEnded', process: processOf(process), cause, ...code }),
    rests() {
      checker.atRest?.()
      return story
    },
  }
  return story
}

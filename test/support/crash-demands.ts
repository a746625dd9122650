/**
 * What is demanded of a life with one fault, beyond the checkers of `src/testing/checkers`. In such a life no task fails, no agent
 * is lost and nobody asks for anything but the update, so more is wrong than in a simulation; and what happened is counted, to be
 * compared with the same life without the fault.
 */
import type { Call } from '../../src/mesos/messages.js'
import type { InstanceRecord } from '../../src/scheduler/records/instance-record.js'
import type { RunRecord } from '../../src/plan/run-record.js'
import type { ServiceSpec } from '../../src/spec/schema.js'
import type { TaskRecord } from '../../src/state-machine/task-record.js'
import type { CheckerContext, CheckerDefinition } from '../../src/testing/checkers/checker.js'
import { valueOf } from '../../src/testing/checkers/mirror.js'
import { nameOfId, splitVolumeId } from '../../src/testing/checkers/names.js'
import type { LogEntry } from '../../src/testing/virtual/log.js'

/** How often things happened, by name. */
type Counts = Readonly<Record<string, number>>

export interface Tally {
  /** Processes started, by task name. */
  readonly launches: Counts
  /** Names of signalled tasks in order. */
  readonly kills: readonly string[]
  /** Blocks begun, by plan and instance. */
  readonly blocks: Counts
  /** Runs begun, by plan. */
  readonly runs: Counts
  /** Volumes created, by instance and name. */
  readonly volumes: Counts
}

/** Tasks that should keep running. */
export const serversOf = (spec: ServiceSpec | undefined): string[] =>
  Object.entries(spec?.pods ?? {}).flatMap(([pod, { count, tasks }]) => {
    const servers = Object.keys(tasks).filter((task) => tasks[task]?.goal === 'RUNNING')
    return Array.from({ length: count }, (_, index) => servers.map((task) => `${pod}-${index}-${task}`)).flat()
  })

export function createTally(): { readonly onEntry: (entry: LogEntry) => void; readonly result: () => Tally } {
  const kills: string[] = []
  const launches = new Map<string, Set<string>>()
  const blocks = new Map<string, Set<string>>()
  const runs = new Map<string, Set<string>>()
  const volumes = new Map<string, Set<string>>()
  let place = 0
  const add = (counts: Map<string, Set<string>>, name: string, id: string): void =>
    void counts.set(name, (counts.get(name) ?? new Set()).add(id))

  const onStored = (key: string, value: unknown): void => {
    const [kind, name = ''] = key.split('/')
    const { block } = (kind === 'instances' ? value : {}) as InstanceRecord
    if (block !== undefined) add(blocks, `${block.plan} of ${name}`, `${block.runId} ${block.startedAtMs}`)
    if (kind === 'plans') add(runs, name, (value as RunRecord).runId)
  }

  return {
    onEntry(entry) {
      place += 1
      switch (entry.type) {
        case 'committed':
          for (const write of entry.writes) if (write.value !== null) onStored(write.key, valueOf(write))
          return
        case 'processStarted':
          return add(launches, entry.process.name, String(place))
        case 'processSignalled':
          return void kills.push(entry.process.name)
        case 'volumeCreated': {
          const parts = splitVolumeId(entry.persistenceId)
          return add(volumes, `${parts?.instance} ${parts?.volume}`, String(place))
        }
        default:
          return
      }
    },
    result: () => ({
      launches: countsOf(launches),
      kills,
      blocks: countsOf(blocks),
      runs: countsOf(runs),
      volumes: countsOf(volumes),
    }),
  }
}

const countsOf = (ids: ReadonlyMap<string, ReadonlySet<string>>): Counts =>
  Object.fromEntries([...ids].map(([name, { size }]) => [name, size] as const).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Refused as it has to be: the call belongs to a stream that is over. */
const streamIsOver = /stream id|not subscribed/i

export const crashDemands: CheckerDefinition = {
  name: 'crash-demands',
  watches: 'nothing is killed, given back, refused or counted as failed without need where nothing fails but one scheduler',
  create(context) {
    const ready = new Set<string>()
    /** Agent of each volume. */
    const agents = new Map<string, string>()

    const checkSignal = (name: string): void => {
      const down = serversOf(context.specs().at(-1)).filter((other) => other !== name && !ready.has(other))
      if (down.length > 0) context.report(`${name} was signalled while ${down.join()} was not ready`)
    }

    return {
      onEntry(entry) {
        switch (entry.type) {
          case 'callTaken':
            return checkCall(entry.call, context)
          case 'requestRefused':
            if (!streamIsOver.test(entry.text)) context.report(`the master refused ${entry.body.slice(0, 100)}: ${entry.text}`)
            return
          case 'volumeCreated':
            return void agents.set(entry.persistenceId, entry.agentId)
          case 'processReady':
            return void ready.add(entry.process.name)
          case 'processStarted':
          case 'processEnded':
            return void ready.delete(entry.process.name)
          case 'processSignalled':
            return checkSignal(entry.process.name)
          default:
            return
        }
      },
      atRest: () => checkRecords(agents, context),
    }
  },
}

/** Nothing is given back, and there are no ghosts: a KILL is of the launch on record, which is to be killed. */
function checkCall(call: Call, { read, report }: CheckerContext): void {
  if (call.type === 'KILL') {
    const { value: id } = call.kill.task_id
    const task = read<TaskRecord>(`tasks/${nameOfId(id)}`)?.context
    if (task?.launch?.taskId !== id || task.killAtMs === undefined)
      report(`the master took a KILL of ${id}, and no record holds the decision`)
  }
  if (call.type !== 'ACCEPT') return
  for (const { type } of call.accept.operations ?? [])
    if (type !== 'RESERVE' && type !== 'CREATE' && type !== 'LAUNCH_GROUP') report(`the master took an ACCEPT with ${type}`)
}

/** Volumes on record are where the record says, and nothing counts as a failure. */
function checkRecords(agents: ReadonlyMap<string, string>, { keys, read, report }: CheckerContext): void {
  for (const key of keys()) {
    if (key.startsWith('tasks/') && (read<TaskRecord>(key)?.backoff.failures ?? 0) > 0) report(`${key} counts a failure`)
    const footprint = key.startsWith('instances/') ? read<InstanceRecord>(key)?.footprint : undefined
    for (const { volume } of footprint?.entries ?? [])
      if (volume !== undefined && agents.get(volume.persistenceId) !== footprint?.agentId)
        report(`${key}: volume ${volume.persistenceId} is not on agent ${footprint?.agentId}`)
  }
}

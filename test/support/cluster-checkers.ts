/**
 * Checkers over what a virtual cluster sees and what the store holds at that moment. They know nothing of how the scheduler
 * decides; each finds one kind of broken promise and says it in words.
 */
import type { RecordKey, Write } from '../../src/ports/state-store.js'
import type { Call, TaskStatus } from '../../src/mesos/messages.js'
import type { InstanceRecord } from '../../src/scheduler/records/instance-record.js'
import type { RunRecord } from '../../src/plan/run-record.js'
import type { TaskRecord } from '../../src/state-machine/task-record.js'
import type { LogEntry } from '../../src/testing/virtual/log.js'

/** Reads one record as it is stored at the moment. */
export type ReadRecord = <Record>(key: RecordKey) => Record | undefined

export interface Checker {
  onLog?(entry: LogEntry): void
  /** Writes of a batch that has landed or is about to. */
  onWrites?(writes: readonly Write[]): void
}

export type Report = (problem: string) => void

const nameOfTask = (taskId: string): string => taskId.split('__')[0] ?? ''
const instanceOfTask = (taskId: string): string => nameOfTask(taskId).replace(/-[^-]*$/, '')

/** Never two live processes of one task name. */
export function checkAtMostOne(report: Report): Checker {
  const alive = new Map<string, string>()
  return {
    onLog(entry) {
      if (entry.type === 'processStarted') {
        const { name, taskId } = entry.process
        if (alive.has(name)) report(`${taskId} was started while ${alive.get(name)} was alive`)
        alive.set(name, taskId)
      } else if (entry.type === 'processEnded') alive.delete(entry.process.name)
    },
  }
}

/** What a call brings about is in the store before the call reaches the master. */
export function checkIntentStored(read: ReadRecord, report: Report): Checker {
  const checkCall = (call: Call): void => {
    if (call.type === 'KILL') {
      const { value: taskId } = call.kill.task_id
      const record = read<TaskRecord>(`tasks/${nameOfTask(taskId)}`)
      const isDecided = record?.context.launch?.taskId === taskId && record.context.killAtMs !== undefined
      if (!isDecided) report(`a KILL of ${taskId} reached the master and is in no record`)
    }
    if (call.type !== 'ACCEPT') return
    for (const operation of call.accept.operations ?? []) {
      switch (operation.type) {
        case 'LAUNCH_GROUP':
          for (const task of operation.launch_group.task_group.tasks ?? [])
            checkLaunch(task.task_id.value, operation.launch_group.executor.executor_id.value)
          break
        case 'RESERVE':
        case 'CREATE':
          checkOperation(operation.id?.value ?? '')
          break
        default:
          report(`an ACCEPT held ${operation.type}`)
      }
    }
  }
  const checkLaunch = (taskId: string, executorId: string): void => {
    if (read<TaskRecord>(`tasks/${nameOfTask(taskId)}`)?.context.launch?.taskId !== taskId)
      report(`an ACCEPT that launches ${taskId} reached the master before it was stored`)
    if (read<InstanceRecord>(`instances/${instanceOfTask(taskId)}`)?.executor?.executorId !== executorId)
      report(`an ACCEPT with executor ${executorId} reached the master before it was stored`)
  }
  const checkOperation = (id: string): void => {
    const footprint = read<InstanceRecord>(`instances/${nameOfTask(id)}`)?.footprint
    if (footprint?.operations.some((operation) => operation.id === id) !== true)
      report(`an ACCEPT with operation ${id} reached the master before it was stored`)
  }
  return {
    onLog(entry) {
      if (entry.type === 'callTaken') checkCall(entry.call)
    },
  }
}

const rank: Readonly<Record<string, number>> = { STAGING: 0, STARTING: 1, RUNNING: 2, KILLING: 3 }
const rankOf = (state: string): number => rank[state] ?? 4

/** When an acknowledgement reaches the master, the store shows what the status told, or something that came later. */
export function checkAcknowledgedIsStored(read: ReadRecord, report: Report): Checker {
  const sent = new Map<string, TaskStatus>()
  return {
    onLog(entry) {
      if (entry.type === 'eventSent' && entry.event.type === 'UPDATE') {
        const { status } = entry.event.update
        if (status.uuid !== undefined) sent.set(status.uuid, status)
      }
      if (entry.type !== 'callTaken' || entry.call.type !== 'ACKNOWLEDGE') return
      const { uuid, task_id: id } = entry.call.acknowledge
      const status = sent.get(uuid)
      if (status === undefined) return report(`${id.value}: an acknowledgement of a status that was never sent`)
      if (!shows(read<TaskRecord>(`tasks/${nameOfTask(id.value)}`), status))
        report(`${status.state} of ${id.value} was acknowledged and is not stored`)
    },
  }
}

function shows(record: TaskRecord | undefined, status: TaskStatus): boolean {
  if (record?.context.launch === undefined) return false
  // A later launch exists only because the end of the earlier one was stored.
  if (record.context.launch.taskId !== status.task_id.value || record.value === 'ended') return true
  const state = status.state.slice('TASK_'.length)
  if (rankOf(state) === 4 || rankOf(record.context.lastState ?? 'STAGING') < rankOf(state)) return false
  return status.check_status?.command?.exit_code !== 0 || record.context.ready
}

/**
 * A footprint is made once and kept: one volume per instance, on the agent that the ledger names, never destroyed. On each
 * volume an initialisation process ends with success exactly once, before anything else runs there: its success is told again
 * until it is stored, so that no crash of a scheduler is a reason to repeat it.
 */
export function checkFootprints(isInitialisation: (task: string) => boolean, report: Report): Checker {
  const made = new Map<string, string>()
  const initialised = new Set<string>()
  return {
    onLog(entry) {
      if (entry.type === 'volumeDestroyed') report(`volume ${entry.persistenceId} was destroyed`)
      if (entry.type === 'volumeCreated') {
        const instance = /^(.*-\d+)-[^-]+-[^-]+$/.exec(entry.persistenceId)?.[1] ?? entry.persistenceId
        if (made.has(instance)) report(`${instance} got a second volume ${entry.persistenceId} beside ${made.get(instance)}`)
        made.set(instance, entry.persistenceId)
      }
      if (entry.type === 'processStarted') {
        const { name, volumes } = entry.process
        const known = made.get(instanceOfTask(entry.process.taskId))
        if (volumes.join() !== known) report(`${name} was started on volumes ${volumes.join()} and not on ${known}`)
        const isReady = initialised.has(volumes.join())
        if (isInitialisation(name) && isReady) report(`${name} was started on ${volumes.join()}, which is initialised`)
        if (!isInitialisation(name) && !isReady) report(`${name} was started on ${volumes.join()}, which is not initialised`)
      }
      if (entry.type === 'processEnded' && isInitialisation(entry.process.name) && entry.code === 0)
        initialised.add(entry.process.volumes.join())
    },
  }
}

/** A process is signalled only if it is due, once, in the order given, and while every other one of the list is ready. */
export function checkKills(due: () => readonly string[], report: Report): Checker {
  const ready = new Set<string>()
  const signalled: string[] = []
  return {
    onLog(entry) {
      if (entry.type === 'processReady') ready.add(entry.process.name)
      if (entry.type === 'processEnded' || entry.type === 'processStarted') ready.delete(entry.process.name)
      if (entry.type !== 'processSignalled') return
      const { name } = entry.process
      const next = due()[signalled.length]
      signalled.push(name)
      if (name !== next) report(`${name} was signalled, and ${next ?? 'nothing'} was due`)
      const down = due().filter((other) => other !== name && !ready.has(other))
      if (down.length > 0) report(`${name} was signalled while ${down.join()} was not ready`)
    },
  }
}

/** A block goes on until it has ended, under the same run; no run is begun anew. Counts the blocks. */
export function checkBlocks(report: Report, blocks: Map<string, Set<string>>): Checker {
  const instances = new Map<RecordKey, InstanceRecord>()
  const runs = new Map<RecordKey, RunRecord>()
  return {
    onWrites(writes) {
      for (const { key, value } of writes) {
        if (value === null) continue
        if (key.startsWith('instances/')) checkInstance(key, JSON.parse(value) as InstanceRecord)
        if (key.startsWith('plans/')) checkRun(key, JSON.parse(value) as RunRecord)
      }
    },
  }

  function checkInstance(key: RecordKey, record: InstanceRecord): void {
    const before = instances.get(key)
    instances.set(key, record)
    if (record.block !== undefined) {
      const name = `${record.block.plan} ${key}`
      blocks.set(name, (blocks.get(name) ?? new Set()).add(String(record.block.startedAtMs)))
    }
    if (before?.block === undefined || before.owner === 'none') return
    const isSame = before.block.runId === record.block?.runId && before.block.startedAtMs === record.block.startedAtMs
    if (!isSame) report(`${key}: the block ${JSON.stringify(before.block)} was followed by ${JSON.stringify(record.block)}`)
    if (record.owner !== before.owner && record.block?.endedAtMs === undefined)
      report(`${key}: owner ${before.owner} lost it to ${record.owner} without an end`)
  }

  function checkRun(key: RecordKey, record: RunRecord): void {
    const before = runs.get(key)
    runs.set(key, record)
    if (before !== undefined && before.runId !== record.runId)
      report(`${key}: run ${before.runId} was followed by ${record.runId}`)
    if (before?.completedAtMs !== undefined && record.completedAtMs === undefined)
      report(`${key}: was complete and is open again`)
  }
}

/**
 * Promise 2, physically: machines, agents and executors as they are, whoever knows of them. Two processes of one task, or two
 * incarnations of a pod instance on one volume, at the same time on any machine, are what everything else is there to prevent.
 */
import type { Operation } from '../../mesos/messages.js'
import type { LoggedProcess } from '../virtual/log.js'
import type { CheckerDefinition } from './checker.js'

export const atMostOne: CheckerDefinition = {
  name: 'at-most-one',
  watches: 'no task ever has two live processes, and no volume is ever used by two incarnations of a pod instance',
  create({ report }) {
    /** Live processes by task id; a launch has one process. */
    const alive = new Map<string, LoggedProcess>()
    const executors = new Map<string, string>()

    const noteLaunches = (operation: Operation): void => {
      if (operation.type !== 'LAUNCH_GROUP') return
      const { executor, task_group: group } = operation.launch_group
      for (const task of group.tasks ?? []) executors.set(task.task_id.value, executor.executor_id.value)
    }
    /** Tasks of one executor are one incarnation: they share its volumes by right. */
    const incarnationOf = ({ taskId }: LoggedProcess): string => executors.get(taskId) ?? taskId

    const start = (process: LoggedProcess): void => {
      for (const other of alive.values()) {
        if (other.name === process.name) report(`${describe(process)} was started while ${describe(other)} was alive`)
        const shared = other.volumes.find((volume) => process.volumes.includes(volume))
        if (shared !== undefined && other.name !== process.name && incarnationOf(other) !== incarnationOf(process))
          report(`${describe(process)} was started on volume ${shared} while ${describe(other)} of another executor was on it`)
      }
      alive.set(process.taskId, process)
    }

    return {
      onEntry(entry) {
        if (entry.type === 'callTaken' && entry.call.type === 'ACCEPT') entry.call.accept.operations?.forEach(noteLaunches)
        if (entry.type === 'processStarted') start(entry.process)
        if (entry.type === 'processEnded') alive.delete(entry.process.taskId)
      },
    }
  },
}

const describe = ({ taskId, hostname }: LoggedProcess): string => `${taskId} on ${hostname}`

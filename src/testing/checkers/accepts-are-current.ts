/**
 * What an ACCEPT brings about is wanted at the moment when the master takes it: the launch is the last one of its task and not
 * over, its executor is the instance's, an operation is still open. Whoever has given up on an ACCEPT, and stored that nothing
 * comes of it, has made sure first that the master refuses it for ever.
 */
import type { Operation } from '../../mesos/messages.js'
import type { CheckerDefinition } from './checker.js'
import { createMirror, type Mirror } from './mirror.js'
import { instanceOfTask, nameOfId } from './names.js'

export const acceptsAreCurrent: CheckerDefinition = {
  name: 'accepts-are-current',
  watches: 'the master takes no launch that the store has as over or replaced, and no operation that it no longer has as open',
  create({ report }) {
    const mirror = createMirror()
    return {
      onEntry(entry) {
        if (entry.type === 'committed') mirror.apply(entry)
        if (entry.type !== 'callTaken' || entry.call.type !== 'ACCEPT') return
        for (const operation of entry.call.accept.operations ?? [])
          for (const problem of problemsOf(operation, mirror)) report(`the master took ${problem}`)
      },
    }
  },
}

function problemsOf(operation: Operation, mirror: Mirror): string[] {
  switch (operation.type) {
    case 'LAUNCH_GROUP': {
      const { executor, task_group: group } = operation.launch_group
      return (group.tasks ?? []).flatMap(({ task_id: id }) => [
        ...launchProblems(id.value, mirror),
        ...executorProblems(executor.executor_id.value, instanceOfTask(id.value), mirror),
      ])
    }
    case 'LAUNCH':
      return (operation.launch.task_infos ?? []).flatMap(({ task_id: id }) => launchProblems(id.value, mirror))
    case 'RESERVE':
    case 'CREATE': {
      const id = operation.id?.value
      if (id === undefined) return []
      const isOpen = mirror.instance(nameOfId(id))?.footprint?.operations.some((open) => open.id === id)
      return isOpen === true ? [] : [`operation ${id} (${operation.type}), which the store does not have as open`]
    }
    default:
      return []
  }
}

function launchProblems(id: string, mirror: Mirror): string[] {
  const record = mirror.task(nameOfId(id))
  const stored = record?.context.launch?.taskId
  if (stored !== id) return [`a launch of ${id}, and the store has ${stored ?? 'none'}`]
  return record?.value === 'ended' ? [`a launch of ${id}, which the store has as ended`] : []
}

function executorProblems(id: string, instance: string, mirror: Mirror): string[] {
  const stored = mirror.instance(instance)?.executor?.executorId
  return stored === id ? [] : [`a launch with executor ${id}, and ${instance} has ${stored ?? 'none'}`]
}

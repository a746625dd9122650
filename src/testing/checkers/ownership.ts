/**
 * Nothing of others is touched: what an ACCEPT reserves was free, and whatever else it names is reserved for this service's role
 * and labelled with this service and the pod instance concerned. A volume is used only by the instance that it was made for.
 */
import type { Operation, Resource } from '../../mesos/messages.js'
import type { CheckerContext, CheckerDefinition } from './checker.js'
import { instanceOfTask, labelOf, nameOfId, volumeOf } from './names.js'

/** Names of the labels are for ever: they are how a reservation is known again. */
const serviceLabel = 'stateward.service'
const instanceLabel = 'stateward.instance'

export const ownership: CheckerDefinition = {
  name: 'ownership',
  watches: 'every resource used is free, or reserved and labelled for this service and the instance that uses it',
  create(context) {
    /** The instance that each volume was made for. */
    const makers = new Map<string, string>()
    return {
      onEntry(entry) {
        if (entry.type !== 'callTaken' || entry.call.type !== 'ACCEPT') return
        for (const operation of entry.call.accept.operations ?? []) checkOperation(operation, makers, context)
      },
    }
  },
}

function checkOperation(operation: Operation, makers: Map<string, string>, context: CheckerContext): void {
  const check = (what: string, instance: string | undefined, resources: readonly Resource[] | undefined): void => {
    for (const resource of resources ?? [])
      for (const problem of problemsOf(resource, instance, makers, context))
        context.report(`${what} with ${resource.name} ${problem}`)
  }
  switch (operation.type) {
    case 'RESERVE': {
      const { resources, source } = operation.reserve
      for (const resource of source ?? [])
        if ((resource.reservations ?? []).length > 0) context.report(`RESERVE of ${resource.name} that is already reserved`)
      for (const resource of resources ?? [])
        if ((resource.reservations ?? []).length > 1)
          context.report(`RESERVE of ${resource.name} out of what is reserved for ${resource.reservations?.[0]?.role}`)
      return check(`RESERVE ${operation.id?.value}`, ownerOf(operation), resources)
    }
    case 'CREATE': {
      const instance = ownerOf(operation)
      const volumes = operation.create.volumes ?? []
      for (const volume of volumes) {
        const id = volumeOf(volume)
        if (id === undefined || instance === undefined) continue
        const maker = makers.get(id)
        if (maker === undefined) makers.set(id, instance)
        else if (maker !== instance) context.report(`CREATE of volume ${id} for ${instance}, which was made for ${maker}`)
      }
      return check(`CREATE ${operation.id?.value}`, instance, volumes)
    }
    case 'LAUNCH_GROUP': {
      const { executor, task_group: group } = operation.launch_group
      for (const task of group.tasks ?? []) {
        const instance = instanceOfTask(task.task_id.value)
        check(`launch of ${task.task_id.value}`, instance, task.resources)
        check(`launch of executor ${executor.executor_id.value}`, instance, executor.resources)
      }
      return
    }
    case 'LAUNCH':
      for (const task of operation.launch.task_infos ?? [])
        check(`launch of ${task.task_id.value}`, instanceOfTask(task.task_id.value), task.resources)
      return
    case 'UNRESERVE':
      return check('UNRESERVE', undefined, operation.unreserve.resources)
    case 'DESTROY':
      return check('DESTROY', undefined, operation.destroy.volumes)
    case 'GROW_VOLUME':
      return check('GROW_VOLUME', undefined, [operation.grow_volume.volume])
    case 'SHRINK_VOLUME':
      return check('SHRINK_VOLUME', undefined, [operation.shrink_volume.volume])
  }
}

/** The instance that an operation is for: its id begins with it. */
const ownerOf = ({ id }: Operation): string | undefined => (id === undefined ? undefined : nameOfId(id.value))

/** `instance` is undefined where any of the service's will do. */
function problemsOf(
  resource: Resource,
  instance: string | undefined,
  makers: ReadonlyMap<string, string>,
  { specs }: CheckerContext,
): string[] {
  const spec = specs().at(-1)
  const service = spec?.name
  const ownRole = spec?.role ?? `${service}-role`
  const stack = resource.reservations ?? []
  if (stack.length === 0) return ['that is not reserved']
  const problems: string[] = []
  for (const { type, role, labels } of stack) {
    const of = labelOf(labels?.labels, serviceLabel)
    const at = labelOf(labels?.labels, instanceLabel)
    if (type !== 'DYNAMIC' || role !== ownRole) problems.push(`reserved for role ${role} (${type})`)
    else if (of !== service) problems.push(`reserved for service ${of ?? 'without a label'}`)
    else if (instance !== undefined && at !== instance)
      problems.push(`reserved for ${at ?? 'no instance'} instead of ${instance}`)
  }
  const volume = volumeOf(resource)
  const maker = volume === undefined ? undefined : makers.get(volume)
  if (volume !== undefined && (maker === undefined || (instance !== undefined && maker !== instance)))
    problems.push(`of volume ${volume}, which was made for ${maker ?? 'nobody of this service'}`)
  return problems
}

/** Which of the specs handed in is meant, by what the store says. Pure. */
import type { TargetConfigId } from '../../ids.js'
import type { TaskInfo } from '../../mesos/messages.js'
import type { RecordKey } from '../../ports/state-store.js'
import type { ServiceRecord } from '../../scheduler/records/service-record.js'
import { specId } from '../../spec/identity.js'
import type { ServiceSpec } from '../../spec/schema.js'
import type { TaskRecord } from '../../state-machine/task-record.js'
import type { SimulationPlan } from './plan.js'

export interface Targets {
  /** Undefined for an id that no spec of the plan has. */
  byId(id: TargetConfigId): ServiceSpec | undefined
  /** The one that is carried out: not the last one handed in, if that was refused. */
  inForce(): ServiceSpec
  /** The one that a task was launched from. */
  ofLaunch(task: TaskInfo): ServiceSpec
}

export function createTargets(
  { spec: first, updates }: SimulationPlan,
  read: <Record>(key: RecordKey) => Record | undefined,
): Targets {
  const specs = new Map([first, ...updates.map(({ spec }) => spec)].map((spec) => [specId(spec), spec]))
  const known = (id: TargetConfigId | undefined): ServiceSpec | undefined => (id === undefined ? undefined : specs.get(id))
  const inForce = (): ServiceSpec => known(read<ServiceRecord>('service/service')?.targetId) ?? first
  return {
    byId: known,
    inForce,
    ofLaunch({ name, task_id: { value } }) {
      const launch = read<TaskRecord>(`tasks/${name}`)?.context.launch
      return (launch?.taskId === value ? known(launch.targetId) : undefined) ?? inForce()
    },
  }
}

/**
 * A scheduler's first minute on rebuilt records, played through the core itself: it subscribes and is told what the master knows.
 * Whatever it would kill or launch then would be the rebuild's fault. Pure.
 */
import { streamId, type TaskId } from '../ids.js'
import type { ClusterView, KnownTask } from '../scheduler/cluster-view.js'
import type { Env } from '../scheduler/env.js'
import type { Event } from '../scheduler/events.js'
import { newState } from '../scheduler/open-instances.js'
import { serviceStatus } from '../scheduler/report.js'
import type { Records } from '../scheduler/state.js'
import { step } from '../scheduler/step.js'
import { refusalText } from '../spec/check-update.js'
import type { ServiceSpec } from '../spec/schema.js'
import { isLive, ownTasks } from './compare-tasks.js'

const rounds = 30
const roundMs = 2_000

export interface Rehearsal {
  /** What speaks against the records; empty when they hold. */
  readonly objections: readonly string[]
  /** Status of each plan as the scheduler will show it. */
  readonly plans: readonly string[]
}

export function rehearse(spec: ServiceSpec, records: Records, cluster: ClusterView, nowMs: number, env: Env): Rehearsal {
  const living = ownTasks(spec, records, cluster).filter(isLive)
  let state = newState(records)
  const killed = new Set<TaskId>()
  const play = (events: readonly Event[]): void => {
    const result = step(state, events, env)
    state = result.state
    for (const { call } of result.calls) if (call.type === 'kill') killed.add(call.taskId)
  }
  play([{ type: 'targetSubmitted', spec, atMs: nowMs }])
  const framework = records.service?.frameworkId ?? living[0]?.frameworkId
  if (framework !== undefined)
    play([
      { type: 'subscribed', streamId: streamId('rehearsal'), frameworkId: framework, atMs: nowMs },
      ...living.map((task) => reconciled(task, nowMs)),
    ])
  for (let round = 1; round <= rounds; round++) play([{ type: 'ticked', atMs: nowMs + round * roundMs }])
  const status = serviceStatus(state)
  return {
    objections: [
      ...(status?.rejected?.reasons ?? []).map((refusal) => `SPEC would be refused: ${refusalText(refusal)}`),
      ...[...killed].filter((id) => !isToRoll(records, id)).map((id) => `task ${id} would be killed`),
      ...(status?.unknownTasks ?? []).map(({ taskId }) => `task ${taskId} would be unknown`),
    ],
    plans: (status?.plans ?? []).map((plan) => `${plan.name} ${plan.status}`),
  }
}

/** As the master answers a reconciliation. */
const reconciled = ({ id, state, agentId, executorId, statuses }: KnownTask, atMs: number): Event => {
  const exitCode = statuses.at(-1)?.checkExitCode
  return {
    type: 'taskStatusReceived',
    status: {
      taskId: id,
      state,
      agentId,
      ...(executorId === undefined ? {} : { executorId }),
      source: 'MASTER',
      reason: 'RECONCILIATION',
      ...(exitCode === undefined ? {} : { checkExitCode: exitCode }),
    },
    atMs,
  }
}

/** It is on an earlier spec, and the update that goes on is to reach it. */
function isToRoll({ service, instances, tasks }: Records, id: TaskId): boolean {
  const [name] = [...tasks].find(([, { context }]) => context.launch?.taskId === id) ?? []
  const instance = [...instances].find(([instanceName]) => name?.startsWith(`${instanceName}-`) === true)?.[1]
  return instance !== undefined && instance.targetId !== service?.targetId
}

/**
 * Draining as an agent does it (mesos-v1.md 5.2): all tasks are killed, their ends say why, nothing is launched any more. Works
 * on a draft. The wish is checkpointed, and forgotten when nothing is left to do.
 */
import type { KillPolicy } from '../mesos/messages.js'
import { killTask } from './agent-executors.js'
import type { AgentDraft } from './agent-updates.js'
import type { MasterToAgent } from './protocol.js'
import { isTerminalState } from './task-status.js'

/** A drain lowers the grace of a task, it never raises it. */
function lowered(maxGraceNs: number | undefined, own: KillPolicy | undefined): KillPolicy | undefined {
  const ownNs = own?.grace_period?.nanoseconds
  if (maxGraceNs === undefined || (ownNs !== undefined && ownNs <= maxGraceNs)) return undefined
  return { grace_period: { nanoseconds: maxGraceNs } }
}

export function drain(draft: AgentDraft, { maxGrace, markGone }: Extract<MasterToAgent, { type: 'drain' }>): void {
  draft.state = { ...draft.state, drain: { ...(maxGrace === undefined ? {} : { maxGrace }), markGone } }
  for (const key of Object.keys(draft.state.tasks)) {
    // Looked up anew: the end of one queued task is the end of its group.
    const task = draft.state.tasks[key]
    if (task === undefined || isTerminalState(task.latestState)) continue
    const killPolicy = lowered(maxGrace?.nanoseconds, task.info.kill_policy)
    const { framework, info } = task
    killTask(draft, {
      type: 'killTask',
      frameworkId: framework.id,
      taskId: info.task_id.value,
      ...(killPolicy === undefined ? {} : { killPolicy }),
    })
  }
}

/** At the end of every step: nothing is left. An agent that is to be marked gone takes nothing new either. */
export function forgetDrain(draft: AgentDraft): void {
  const { drain: current, ...rest } = draft.state
  if (current === undefined || current.markGone) return
  const isIdle = [rest.tasks, rest.executors, rest.operations].every((records) => Object.keys(records).length === 0)
  if (isIdle) draft.state = rest
}

/** Hooks that tell the log what they were asked and what they answered, whoever wrote them. */
import type { RunId } from '../../ids.js'
import type { Hook, Hooks } from '../../runtime/hooks.js'
import type { WriteLog } from '../virtual/log.js'
import type { VirtualProcess } from '../virtual/scheduler.js'

export const logHooks = (process: VirtualProcess, hooks: Hooks, write: WriteLog): Hooks =>
  Object.fromEntries(Object.entries(hooks).map(([name, hook]) => [name, logHook(process, name, hook, write)]))

function logHook({ name: scheduler, host }: VirtualProcess, hookName: string, hook: Hook, write: WriteLog): Hook {
  return async (context) => {
    const job = { runId: context.runId as RunId, attempt: context.attempt, hook: hookName }
    write({ type: 'jobStarted', scheduler, job })
    try {
      const value = await hook(context)
      if (!host.isDead) write({ type: 'jobEnded', scheduler, job, outcome: { ok: true, value } })
      return value
    } catch (error) {
      if (!host.isDead) write({ type: 'jobEnded', scheduler, job, outcome: { ok: false, error: String(error) } })
      throw error
    }
  }
}

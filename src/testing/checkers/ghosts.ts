/**
 * A launch that was stored as gone, or as never run, and is reported alive after all, is killed on sight: it must not run beside
 * what has replaced it, or will. A KILL may be lost; so what counts is that one is sent in the end.
 */
import type { CheckerDefinition } from './checker.js'
import { createMirror, taskChanges } from './mirror.js'
import { isEnd, showsLife } from './statuses.js'

/** Until a KILL is on its way. */
const promptMs = 10_000

export const ghosts: CheckerDefinition = {
  name: 'ghosts',
  watches: 'a task that counts as gone, or as never run, is killed when it is reported alive',
  create({ report, nowMs }) {
    const mirror = createMirror()
    const presumedEnded = new Set<string>()
    /** When each was reported alive, until something was done about it. */
    const seenAtMs = new Map<string, number>()

    return {
      onEntry(entry) {
        switch (entry.type) {
          case 'committed':
            for (const { after } of taskChanges(entry, mirror)) {
              const { launch, outcome } = after.context
              const isPresumed = after.value === 'ended' && (outcome === 'gone' || outcome === 'neverRan')
              if (launch !== undefined && isPresumed) presumedEnded.add(launch.taskId)
            }
            return mirror.apply(entry)
          case 'eventDelivered': {
            if (entry.event.type !== 'taskStatusReceived') return
            const { taskId, state, agentId } = entry.event.status
            if (isEnd(state, true)) seenAtMs.delete(taskId)
            else if (showsLife(state) && agentId !== undefined && presumedEnded.has(taskId) && !seenAtMs.has(taskId))
              seenAtMs.set(taskId, entry.atMs)
            return
          }
          case 'callSent':
            if (entry.call.type === 'kill') seenAtMs.delete(entry.call.taskId)
            return
          case 'processEnded':
            return void seenAtMs.delete(entry.process.taskId)
          default:
            return
        }
      },
      atRest() {
        for (const [taskId, atMs] of seenAtMs)
          if (nowMs() - atMs > promptMs)
            report(`${taskId} counts as ended, was reported alive ${nowMs() - atMs} ms ago and was never killed`)
      },
    }
  },
}

/**
 * Promise 6: a restart or an upgrade of the scheduler changes no running task. A task is killed only because the wanted spec has
 * other content for it than the one it was launched from, or because an operator asked for a restart after its launch. Judged
 * once, when the decision is stored: repetitions are due because it was. (What is sent without a stored decision, and ghosts,
 * belong to intent-before-effect.)
 */
import { canonicalJson } from '../../spec/canonical.js'
import type { ServiceSpec } from '../../spec/schema.js'
import type { TaskLaunch } from '../../state-machine/task-record.js'
import type { CheckerDefinition } from './checker.js'
import { createMirror, newLaunches, taskChanges, type Committed } from './mirror.js'
import { splitTaskName } from './names.js'

export const killsAreDue: CheckerDefinition = {
  name: 'kills-are-due',
  watches: 'a task is killed only when the wanted spec has other content for it, or a restart was asked for after its launch',
  create({ report }) {
    const mirror = createMirror()
    /** When each launch was decided on. */
    const launchedAtMs = new Map<string, number>()
    /** When a restart of an instance was last asked for. */
    const restartedAtMs = new Map<string, number>()
    const decided = new Set<string>()

    const isRestartDue = (instance: string, { taskId }: TaskLaunch): boolean =>
      (restartedAtMs.get(instance) ?? -Infinity) >= (launchedAtMs.get(taskId) ?? -Infinity)

    const check = (name: string, launch: TaskLaunch): void => {
      const parts = splitTaskName(name)
      if (parts === undefined || isRestartDue(parts.instance, launch)) return
      const wanted = mirror.spec(mirror.service()?.targetId)
      const launched = mirror.spec(launch.targetId)
      const isChanged = contentOf(wanted, parts.pod, parts.task) !== contentOf(launched, parts.pod, parts.task)
      if (!isChanged) report(`${launch.taskId} is to be killed, and the wanted spec has the content it was launched from`)
    }

    const note = (batch: Committed): void => {
      for (const { launch } of newLaunches(batch, mirror)) launchedAtMs.set(launch.taskId, batch.decidedAtMs)
      const changes = taskChanges(batch, mirror)
      // The target and the decision that follows from it may be stored together.
      mirror.apply(batch)
      for (const { name, after } of changes) {
        const { launch, killAtMs } = after.context
        if (launch === undefined || killAtMs === undefined || decided.has(launch.taskId)) continue
        decided.add(launch.taskId)
        check(name, launch)
      }
    }

    return {
      onEntry(entry) {
        if (entry.type === 'committed') note(entry)
        if (entry.type === 'commandGiven' && entry.command.type === 'restartPod')
          restartedAtMs.set(entry.command.instance, entry.atMs)
      },
    }
  },
}

/**
 * What a running task depends on: its own content, and what its pod's executor and volumes are. A change of work that is done
 * once restarts nothing by itself.
 */
function contentOf(spec: ServiceSpec | undefined, podName: string, taskName: string): string {
  const pod = spec?.pods[podName]
  const task = pod?.tasks[taskName]
  const lasts = task?.goal === 'RUNNING' || task?.goal === 'FINISH'
  return canonicalJson({ executor: pod?.executor, volumes: pod?.volumes, task: lasts ? task : undefined })
}

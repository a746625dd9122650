/**
 * A footprint is new until the successful end of its initialisation is stored: until then initialisation is repeated, and
 * nothing else runs there; afterwards it never runs again. Processes and their exit codes show what happened, the store shows
 * what could be known of it. Footprints without volumes are told apart by their generation.
 */
import type { LoggedProcess } from '../virtual/log.js'
import type { CheckerContext, CheckerDefinition } from './checker.js'
import { createMirror, newLaunches, type Committed, type Mirror } from './mirror.js'
import { splitTaskName } from './names.js'

export const initialisedOnce: CheckerDefinition = {
  name: 'initialised-once',
  watches: 'initialisation succeeds before anything else runs on a footprint, and never runs there after its success was stored',
  create(context) {
    const mirror = createMirror()
    const footprints = createFootprints(mirror, context)
    return {
      onEntry(entry) {
        if (entry.type === 'committed') {
          checkDecisions(entry, mirror, context)
          mirror.apply(entry)
        }
        if (entry.type === 'processStarted') footprints.start(entry.process)
        if (entry.type === 'processEnded' && entry.code === 0) footprints.succeed(entry.process)
      },
    }
  },
}

/** A task that is launched only once per footprint, by the spec that its instance is on. */
const isInitialisation = (mirror: Mirror, task: string): boolean => mirror.taskSpec(task)?.goal === 'INIT'

function checkDecisions(batch: Committed, mirror: Mirror, { report }: CheckerContext): void {
  for (const { name, before, launch } of newLaunches(batch, mirror)) {
    const parts = splitTaskName(name)
    if (parts === undefined || !isInitialisation(mirror, name)) continue
    const { generation } = launch
    const { context } = before ?? {}
    const hasSucceeded = context?.outcome === 'finished' && context.launch?.generation === generation
    if (hasSucceeded || mirror.instance(parts.instance)?.initialisedGeneration === generation)
      report(`${launch.taskId} was decided on, and initialisation of footprint ${generation} was stored as successful before`)
  }
}

interface Footprints {
  start(process: LoggedProcess): void
  succeed(process: LoggedProcess): void
}

function createFootprints(mirror: Mirror, { report }: CheckerContext): Footprints {
  /** Initialisation tasks that have succeeded, by footprint. */
  const initialised = new Map<string, Set<string>>()
  /** Footprints on which something else has run. */
  const inUse = new Map<string, string>()

  const footprintOf = ({ name, taskId, volumes }: LoggedProcess): string => {
    if (volumes.length > 0) return volumes.join()
    const launch = mirror.task(name)?.context.launch
    const generation = launch?.taskId === taskId ? launch.generation : undefined
    return `${splitTaskName(name)?.instance}, generation ${generation ?? 'unknown'}`
  }

  const missing = (process: LoggedProcess, footprint: string): string[] => {
    const parts = splitTaskName(process.name)
    const pod = parts === undefined ? undefined : mirror.podOf(parts.instance)
    const initialisations = Object.entries(pod?.tasks ?? {}).flatMap(([task, { goal }]) => (goal === 'INIT' ? [task] : []))
    return initialisations.filter((task) => initialised.get(footprint)?.has(task) !== true)
  }

  return {
    start(process) {
      const footprint = footprintOf(process)
      if (isInitialisation(mirror, process.name)) {
        const other = inUse.get(footprint)
        if (other !== undefined) report(`${process.taskId} was started on ${footprint}, where ${other} has run before`)
        return
      }
      for (const task of missing(process, footprint))
        report(`${process.taskId} was started on ${footprint}, where ${task} has not succeeded yet`)
      inUse.set(footprint, process.taskId)
    },
    succeed(process) {
      const task = splitTaskName(process.name)?.task
      if (task === undefined || !isInitialisation(mirror, process.name)) return
      const footprint = footprintOf(process)
      initialised.set(footprint, (initialised.get(footprint) ?? new Set()).add(task))
    },
  }
}

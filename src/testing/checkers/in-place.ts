/**
 * Promise 4: what failed comes back to the same agent, reservation and volume. The first process of an instance settles where
 * it belongs: its volumes, the machine where they are, and the id of the agent. There are no time limits and no permits yet, so
 * every later launch is there or nowhere; a volume that comes back under another agent id is left alone.
 */
import type { LoggedProcess } from '../virtual/log.js'
import type { CheckerDefinition } from './checker.js'
import { createMirror, instanceChanges, newLaunches, type Committed } from './mirror.js'
import { instanceOfTask, splitVolumeId } from './names.js'

export const inPlace: CheckerDefinition = {
  name: 'in-place',
  watches: 'an instance that has once run is launched only on its own volumes, on their machine, under the same agent id',
  create({ report }) {
    const mirror = createMirror()
    /** The first process of each instance. */
    const homes = new Map<string, LoggedProcess>()
    const hosts = new Map<string, string>()

    const checkStart = (process: LoggedProcess): void => {
      const instance = instanceOfTask(process.name)
      for (const volume of process.volumes) {
        const owner = splitVolumeId(volume)?.instance
        if (owner !== instance)
          report(`${process.taskId} was started on volume ${volume}, which is of ${owner ?? 'nobody known'}`)
        const host = hosts.get(volume)
        if (host !== undefined && host !== process.hostname)
          report(`${process.taskId} was started on ${process.hostname}, and its volume ${volume} is on ${host}`)
      }
      const home = homes.get(instance)
      if (home === undefined) homes.set(instance, process)
      else for (const difference of differences(home, process)) report(`${process.taskId} was started ${difference}`)
    }

    /** Decisions count too, whether or not anything came of them. */
    const checkDecisions = (batch: Committed): void => {
      const launches = newLaunches(batch, mirror)
      for (const { name, before, after } of instanceChanges(batch, mirror)) {
        const home = homes.get(name)?.agentId
        const [was, is] = [before?.footprint?.agentId, after?.footprint?.agentId]
        if (home !== undefined && was !== is && is !== home)
          report(`the footprint of ${name} moved from agent ${was ?? 'none'} to ${is ?? 'none'}; it belongs on ${home}`)
      }
      mirror.apply(batch)
      for (const { launch } of launches) {
        const instance = instanceOfTask(launch.taskId)
        const home = homes.get(instance)
        const footprint = mirror.instance(instance)?.footprint
        if (home !== undefined && launch.agentId !== home.agentId)
          report(`${launch.taskId} was to be launched on agent ${launch.agentId}; ${instance} belongs on ${home.agentId}`)
        if (footprint?.agentId !== launch.agentId)
          report(
            `${launch.taskId} was to be launched on agent ${launch.agentId}; its footprint is on ${footprint?.agentId ?? 'no agent'}`,
          )
      }
    }

    return {
      onEntry(entry) {
        if (entry.type === 'volumeCreated') hosts.set(entry.persistenceId, entry.hostname)
        if (entry.type === 'processStarted') checkStart(entry.process)
        if (entry.type === 'committed') checkDecisions(entry)
      },
    }
  },
}

/** How a process differs from the first one of its instance. */
function differences(home: LoggedProcess, process: LoggedProcess): string[] {
  const result: string[] = []
  const [was, is] = [home.volumes.join(), process.volumes.join()]
  if (was !== is) result.push(`on volumes ${is || 'none'}; its instance has ${was || 'none'}`)
  if (home.hostname !== process.hostname) result.push(`on ${process.hostname}; its instance belongs on ${home.hostname}`)
  if (home.agentId !== process.agentId) result.push(`under agent ${process.agentId}; its instance belongs on ${home.agentId}`)
  return result
}

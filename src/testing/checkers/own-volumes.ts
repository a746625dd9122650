/**
 * A process sees the volumes of its pod and no others: one for each that the spec it was launched from gives the pod, made for
 * its own instance. A server that starts without its data would found an empty copy.
 */
import type { LoggedProcess } from '../virtual/log.js'
import type { CheckerDefinition } from './checker.js'
import { createMirror, type Mirror } from './mirror.js'
import { splitTaskName, splitVolumeId } from './names.js'

export const ownVolumes: CheckerDefinition = {
  name: 'own-volumes',
  watches: 'every process is started on the volumes that the spec gives its pod, each made for its instance',
  create({ report }) {
    const mirror = createMirror()
    return {
      onEntry(entry) {
        if (entry.type === 'committed') mirror.apply(entry)
        if (entry.type !== 'processStarted') return
        const { taskId, volumes } = entry.process
        const found = volumes.map(describe).sort().join(', ')
        const due = volumesOf(entry.process, mirror)?.sort().join(', ')
        if (due !== undefined && found !== due)
          report(`${taskId} was started on ${found || 'no volume'}; its pod has ${due || 'no volume'}`)
      },
    }
  },
}

function describe(persistenceId: string): string {
  const parts = splitVolumeId(persistenceId)
  return parts === undefined ? persistenceId : `${parts.volume} of ${parts.instance}`
}

/** Undefined for a process of which the store knows nothing. */
function volumesOf({ name, taskId }: LoggedProcess, mirror: Mirror): string[] | undefined {
  const parts = splitTaskName(name)
  if (parts === undefined) return undefined
  const launch = mirror.task(name)?.context.launch
  const pod = launch?.taskId === taskId ? mirror.spec(launch.targetId)?.pods[parts.pod] : mirror.podOf(parts.instance)
  return pod === undefined ? undefined : Object.keys(pod.volumes).map((volume) => `${volume} of ${parts.instance}`)
}

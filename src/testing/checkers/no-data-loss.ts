/**
 * Promise 3: no persistent volume is destroyed or given up without a permit. There are no permits yet, so: never. A volume on
 * which no process ever started holds no data and may be given up. Permits will be read here, and nowhere else.
 */
import type { Operation, Resource } from '../../mesos/messages.js'
import type { InstanceRecord } from '../../scheduler/records/instance-record.js'
import type { CheckerDefinition } from './checker.js'
import { createMirror, instanceChanges } from './mirror.js'
import { splitVolumeId, volumeOf, volumesOf } from './names.js'

export const noDataLoss: CheckerDefinition = {
  name: 'no-data-loss',
  watches: 'no volume that was ever used is destroyed, shrunk, unreserved, replaced or forgotten',
  create({ report }) {
    const mirror = createMirror()
    /** Volumes on which a process was started. */
    const used = new Set<string>()
    /** Host of each volume that exists. */
    const existing = new Map<string, string>()

    const checkCreated = (id: string, hostname: string): void => {
      const made = splitVolumeId(id)
      for (const [other, host] of existing) {
        const earlier = splitVolumeId(other)
        const isSame = made !== undefined && made.instance === earlier?.instance && made.volume === earlier.volume
        if (isSame && other !== id && used.has(other))
          report(`volume ${id} was created on ${hostname} while ${other} exists on ${host} and has been used`)
      }
      existing.set(id, hostname)
    }

    return {
      onEntry(entry) {
        switch (entry.type) {
          case 'callTaken':
            if (entry.call.type !== 'ACCEPT') return
            for (const operation of entry.call.accept.operations ?? [])
              for (const loss of lossesOf(operation)) report(`the master took ${loss}`)
            return
          case 'volumeCreated':
            return checkCreated(entry.persistenceId, entry.hostname)
          case 'volumeDestroyed':
            existing.delete(entry.persistenceId)
            return report(`volume ${entry.persistenceId} was destroyed on ${entry.hostname}`)
          case 'diskLost':
            for (const [id, hostname] of existing) if (hostname === entry.hostname) existing.delete(id)
            return
          case 'processStarted':
            for (const volume of entry.process.volumes) used.add(volume)
            return
          case 'committed':
            for (const { name, before, after } of instanceChanges(entry, mirror))
              for (const volume of givenUp(before, after))
                if (used.has(volume)) report(`the record of ${name} no longer holds volume ${volume}, which has been used`)
            return mirror.apply(entry)
          default:
            return
        }
      },
    }
  },
}

const ledgerOf = (record: InstanceRecord | undefined): string[] =>
  (record?.footprint?.entries ?? []).flatMap(({ volume }) => volume?.persistenceId ?? [])

function givenUp(before: InstanceRecord | undefined, after: InstanceRecord | undefined): string[] {
  const kept = new Set(ledgerOf(after))
  return ledgerOf(before).filter((volume) => !kept.has(volume))
}

const idOf = (resource: Resource): string => volumeOf(resource) ?? 'without an id'

/** Volumes that an operation would cost, in words. */
function lossesOf(operation: Operation): string[] {
  switch (operation.type) {
    case 'DESTROY':
      return (operation.destroy.volumes ?? []).map((volume) => `a DESTROY of volume ${idOf(volume)}`)
    case 'UNRESERVE':
      return volumesOf(operation.unreserve.resources).map((volume) => `an UNRESERVE of volume ${volume}`)
    case 'SHRINK_VOLUME':
      return [`a SHRINK_VOLUME of volume ${idOf(operation.shrink_volume.volume)}`]
    default:
      return []
  }
}

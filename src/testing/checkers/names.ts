/**
 * Names and labels as they travel over the wire, taken apart: a task id is `<pod>-<index>-<task>__<uuid>`, an operation or
 * executor id `<pod>-<index>__<uuid>`, a volume's id `<pod>-<index>-<volume>-<nonce>`. Pure.
 */
import type { Label, Resource } from '../../mesos/messages.js'

const idSeparator = '__'

/** `db-0-server__8f...` is of `db-0-server`; `db-0__8f...` is of `db-0`. */
export const nameOfId = (id: string): string => id.split(idSeparator)[0] ?? id

export interface TaskNameParts {
  /** `db-0`. */
  readonly instance: string
  /** `db`. */
  readonly pod: string
  readonly index: number
  /** `server`. */
  readonly task: string
}

/** Names of pods hold no part that is all digits, so the first such part is the index. Undefined for a name of another form. */
export function splitTaskName(name: string): TaskNameParts | undefined {
  const [, pod, index, task] = /^(.+?)-(\d+)-(.+)$/.exec(name) ?? []
  if (pod === undefined || index === undefined || task === undefined) return undefined
  return { instance: `${pod}-${index}`, pod, index: Number(index), task }
}

/** Pod instance of a task, by its name or id; the name itself if it has another form. */
export function instanceOfTask(nameOrId: string): string {
  const name = nameOfId(nameOrId)
  return splitTaskName(name)?.instance ?? name
}

/** `db-0-data-1a2b3c4d` is the volume `data` of `db-0`; undefined for an id of another form. */
export function splitVolumeId(persistenceId: string): { readonly instance: string; readonly volume: string } | undefined {
  const [, instance, volume] = /^(.+?-\d+)-(.+)-[^-]+$/.exec(persistenceId) ?? []
  return instance === undefined || volume === undefined ? undefined : { instance, volume }
}

/** Value of a label, of the last one if the key repeats. */
export const labelOf = (labels: readonly Label[] | undefined, key: string): string | undefined =>
  labels?.findLast((label) => label.key === key)?.value

/** Id of the persistent volume on a resource. */
export const volumeOf = (resource: Resource): string | undefined => resource.disk?.persistence?.id

/** Ids of the persistent volumes on a list of resources. */
export const volumesOf = (resources: readonly Resource[] | undefined): string[] =>
  (resources ?? []).flatMap((resource) => volumeOf(resource) ?? [])

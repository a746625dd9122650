/** What the storage system outside knows a volume by. Pure. */
import type { PodSpec } from './schema.js'

export type ExternalVolume = NonNullable<PodSpec['externalVolumes']>[string]

/** With `#` in the place of an instance's index. */
export function externalVolumeName(
  service: string,
  pod: string,
  { name, shared = false, separator = '_' }: Pick<ExternalVolume, 'name' | 'shared' | 'separator'>,
  index: number | '#' = '#',
): string {
  const base = name ?? `${service}_${pod}`
  return shared ? base : `${base}${separator}${index}`
}

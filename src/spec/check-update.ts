/**
 * Which changes of a deployed service this version can carry out without losing data. A refused spec leaves the old target in
 * force. Pure.
 */
import { footprintHash } from './identity.js'
import type { ServiceSpec } from './schema.js'

/** What exists of a pod type: the highest index with a footprint, -1 for none. */
export type HighestIndex = (pod: string) => number

/** Reasons against the change, each with a way out; empty when it may be done. */
export function checkUpdate(before: ServiceSpec, after: ServiceSpec, highestIndex: HighestIndex): string[] {
  const reasons: string[] = []
  if (before.user !== after.user)
    reasons.push(`user: cannot change from ${before.user} to ${after.user}; the volumes belong to the old user`)
  for (const [what, of] of [
    ['principal', principalOf],
    ['role', roleOf],
  ] as const) {
    if (of(before) !== of(after))
      reasons.push(`${what}: cannot change from ${of(before)} to ${of(after)}; every reservation names the old one`)
  }
  for (const [name, pod] of Object.entries(before.pods)) {
    const highest = highestIndex(name)
    if (highest < 0) continue
    const next = after.pods[name]
    if (next === undefined) {
      reasons.push(`pods.${name}: cannot be removed while ${name}-${highest} has reserved resources; keep the pod`)
    } else if (next.count <= highest) {
      reasons.push(
        `pods.${name}.count: cannot shrink to ${next.count} while ${name}-${highest} has reserved resources; keep ${highest + 1}`,
      )
    } else if (footprintHash(pod) !== footprintHash(next)) {
      reasons.push(
        `pods.${name}: cpus, memory, disk, volumes, ports or the list of tasks changed, and instances hold reservations for the old ones; ` +
          'restore them, or add a pod type of another name',
      )
    }
  }
  return reasons
}

/** The principal of a service; its reservations carry it for ever. */
export const principalOf = (spec: ServiceSpec): string => spec.principal ?? `${spec.name}-principal`

/** The role of a service; its reservations carry it for ever. */
export const roleOf = (spec: ServiceSpec): string => spec.role ?? `${spec.name}-role`

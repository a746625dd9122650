/** A target configuration with the hashes of its parts. Pure. */
import { footprintHash, podHash, specId, taskHash } from '../spec/identity.js'
import type { ServiceSpec } from '../spec/schema.js'
import type { Target } from './state.js'

export function buildTarget(spec: ServiceSpec): Target {
  const pods = Object.entries(spec.pods).map(([name, pod]) => [
    name,
    {
      pod: podHash(pod),
      footprint: footprintHash(pod),
      tasks: Object.fromEntries(Object.entries(pod.tasks).map(([task, content]) => [task, taskHash(pod, content)])),
    },
  ])
  return { id: specId(spec), spec, pods: Object.fromEntries(pods) as Target['pods'] }
}

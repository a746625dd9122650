/** Short forms for specs written in TypeScript. Pure. */
import type { ServiceSpecInput } from './schema.js'

type PlacementRule = NonNullable<ServiceSpecInput['pods'][string]['placement']>[number]

/** At most `max` instances of the pod type on one host. */
export const maxPerHost = (max: number): PlacementRule => ({ type: 'maxPerHost', max })

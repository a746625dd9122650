/** Where instances may be placed. Rules are asked for new footprints and replacements only; all of a list must hold. Pure. */
import { z } from 'zod'
import { field } from './fields.js'

const key = field(z.string().min(1).max(255), '`hostname`, `@zone`, `@region`, or the name of an attribute of the agents.')
const value = field(z.string().max(1_024), 'Text of the value, as Mesos writes it.')
const pattern = field(
  z.string().min(1).max(256).refine(isPattern, 'is no regular expression'),
  'Regular expression that the whole value has to match.',
)

function isPattern(text: string): boolean {
  try {
    new RegExp(`^(?:${text})$`, 'u')
    return true
  } catch {
    return false
  }
}

const atMost = field(z.int().min(1), 'Instances of this pod type with one value of the key at most.')
const podName = field(z.string(), 'Name of a pod of this service.')

const simpleRules = [
  z.strictObject({
    type: z.literal('maxPerHost'),
    max: field(z.int().min(1), 'Instances of this pod type on one host at most.'),
  }),
  z.strictObject({ type: z.literal('maxPer'), key, max: atMost }),
  z.strictObject({ type: z.literal('unique'), key }),
  z.strictObject({ type: z.literal('is'), key, value }),
  z.strictObject({ type: z.literal('isNot'), key, value }),
  z.strictObject({ type: z.literal('like'), key, pattern }),
  z.strictObject({ type: z.literal('unlike'), key, pattern }),
  z.strictObject({
    type: z.literal('groupBy'),
    key,
    values: field(z.int().min(1).optional(), 'How many different values there are; as many as are seen when left out.'),
  }),
  z.strictObject({
    type: z.literal('near'),
    pod: podName,
    key: field(key.optional(), 'Shared with an instance of that pod.', { implied: 'hostname' }),
  }),
  z.strictObject({
    type: z.literal('awayFrom'),
    pod: podName,
    key: field(key.optional(), 'Shared with no instance of that pod.', { implied: 'hostname' }),
  }),
] as const

export type PlacementRule =
  | z.output<(typeof simpleRules)[number]>
  | { readonly type: 'all' | 'any'; readonly rules: readonly PlacementRule[] }
  | { readonly type: 'not'; readonly rule: PlacementRule }

/** A rule that may hold others to this depth; deeper ones could not be read by anybody. */
const ruleOfDepth = (depth: number): z.ZodType<PlacementRule, PlacementRule> => {
  if (depth === 0) return z.discriminatedUnion('type', simpleRules)
  const inner = ruleOfDepth(depth - 1)
  return z.discriminatedUnion('type', [
    ...simpleRules,
    z.strictObject({ type: z.literal('all'), rules: field(z.array(inner).min(1), 'All of these hold.') }),
    z.strictObject({ type: z.literal('any'), rules: field(z.array(inner).min(1), 'One of these holds.') }),
    z.strictObject({ type: z.literal('not'), rule: field(inner, 'This does not hold.') }),
  ])
}

export const placementRule = ruleOfDepth(2)

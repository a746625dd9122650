/** From what a user asks for to a plan in which everything is decided. Pure. */
import { SdkError } from '../../errors.js'
import type { ServiceSpec } from '../../spec/schema.js'
import { chooseFaults } from './choose-faults.js'
import { checkPlan, faultKinds, type Fault, type FaultGroup, type FaultKind, type SimulationPlan } from './plan.js'

/** What a simulation is asked for. Times are virtual milliseconds. */
export interface SimulationOptions {
  /** Everything that is left to chance follows from it. */
  readonly seed: number
  /**
   * `none`; `all`; groups or single kinds from which the seed chooses; or the faults themselves.
   * @defaultValue every group but `loss`, after which a service can only wait for a permit
   */
  readonly faults?: 'none' | 'all' | readonly (FaultGroup | FaultKind)[] | readonly Fault[]
  /** Faults happen from `faultsFromMs` until then; afterwards everything has to get done. @defaultValue 300000 */
  readonly until?: number
  /** @defaultValue 0 */
  readonly faultsFromMs?: number
  /** Most faults that the seed may choose. @defaultValue 10 */
  readonly mostFaults?: number
  /** Specs handed in later. @defaultValue none */
  readonly updates?: readonly { readonly atMs: number; readonly spec: ServiceSpec }[]
  /** Number of machines. @defaultValue one more than the largest pod type has instances, at least 3 */
  readonly agents?: number
  /** A second scheduler competes for leadership. @defaultValue the seed decides, unless there are no faults */
  readonly rival?: boolean
  /** Everything has to be done so long after `until`. @defaultValue 3600000 */
  readonly settleWithin?: number
}

const defaultUntilMs = 300_000
/** Back-off grows to five minutes, reconciliation repeats every ten, and each instance may have to wait them out. */
const defaultSettleWithinMs = 3_600_000

const groups = Object.keys(faultKinds) as FaultGroup[]
const kinds = new Set<string>(Object.values(faultKinds).flat())
const isGroup = (name: string): name is FaultGroup => name in faultKinds
const isKind = (name: string): name is FaultKind => kinds.has(name)

/** @throws SdkError `ERR_INVALID_OPTION` */
export function makePlan(spec: ServiceSpec, options: SimulationOptions): SimulationPlan {
  const { seed, updates = [] } = options
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw new SdkError('ERR_INVALID_OPTION', `seed must be an integer from 0 to below 2^32 (got ${seed})`)
  const agents = options.agents ?? Math.max(3, 1 + Math.max(...Object.values(spec.pods).map((pod) => pod.count)))
  const untilMs = options.until ?? defaultUntilMs
  const asked = options.faults ?? groups.filter((group) => group !== 'loss')
  const rival = options.rival ?? (asked !== 'none' && asked.length > 0 && seed % 4 === 3)
  const base = { v: 1 as const, seed, spec, updates: [...updates], agents, rival, untilMs }
  const settleWithinMs = options.settleWithin ?? defaultSettleWithinMs
  const source = 'what was asked for'
  if (isFaultList(asked)) return checkPlan({ ...base, faults: [...asked], settleWithinMs }, source)
  const from = { seed, spec, agents, rival, fromMs: options.faultsFromMs ?? 0, untilMs, most: options.mostFaults ?? 10 }
  // Checked before anything is chosen: chance over an endless time never ends.
  checkPlan({ ...base, faults: [], settleWithinMs }, source)
  return { ...base, faults: chooseFaults({ ...from, kinds: kindsOf(asked) }), settleWithinMs }
}

const isFaultList = (asked: NonNullable<SimulationOptions['faults']>): asked is readonly Fault[] =>
  typeof asked !== 'string' && asked.length > 0 && typeof asked[0] === 'object'

function kindsOf(asked: 'none' | 'all' | readonly (FaultGroup | FaultKind)[]): FaultKind[] {
  if (asked === 'none') return []
  if (asked === 'all') return Object.values(faultKinds).flat()
  return asked.flatMap((name: string) => {
    if (isGroup(name)) return faultKinds[name]
    if (isKind(name)) return [name]
    throw new SdkError(
      'ERR_INVALID_OPTION',
      `there is no fault ${JSON.stringify(name)}; groups are ${groups.join(', ')}, kinds are ${[...kinds].join(', ')}`,
    )
  })
}

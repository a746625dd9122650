/**
 * The author's code, named in the spec and bound when the scheduler is made. A hook runs outside the core: it may hang, throw
 * or flap without stalling anything. It sees plain data and an abort signal, and no sandbox.
 */

/** One pod instance as a hook sees it. */
export interface HookInstance {
  /** For example `broker-1`. */
  readonly name: string
  readonly pod: string
  readonly index: number
  /** What peers use: the agent's address, or its host name if the spec says so. */
  readonly address: string
  readonly agentId: string
  readonly zone: string | null
  /** Ports by name. */
  readonly ports: Readonly<Record<string, number>>
  /** All its RUNNING tasks run and have passed their readiness checks. */
  readonly ready: boolean
}

export interface HookInput {
  readonly service: string
  /** Generated values of the service. */
  readonly values: Readonly<Record<string, string>>
  /** Name of the plan that asks. */
  readonly plan: string
  /** The instance the gate belongs to; absent for pre-flight and post-flight. */
  readonly instance?: string
  /** For an order hook: the instances still to roll. */
  readonly candidates?: readonly string[]
  /** Every instance that has a footprint. */
  readonly instances: readonly HookInstance[]
}

export interface HookContext extends HookInput {
  /** Same for every attempt of one question. */
  readonly runId: string
  /** 1 for the first attempt; grows after a deadline, a failure, or a takeover by another scheduler. */
  readonly attempt: number
  /** Aborted when the time limit passes or the scheduler stops. */
  readonly signal: AbortSignal
}

/** A gate's answer; the reason is shown to the operator and kept as evidence, open or closed. */
export interface GateResult {
  readonly open: boolean
  readonly reason: string
}

/** A gate answers `GateResult`; an order hook answers the candidates' names in the order wanted. */
export type Hook = (context: HookContext) => Promise<GateResult | readonly string[]>
export type Hooks = Readonly<Record<string, Hook>>

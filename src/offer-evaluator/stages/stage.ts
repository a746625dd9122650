/** A stage answers for one concern: pass, with what it has settled, or a stable reason. Pure. */
import type { AgentPool } from '../pool.js'
import type { Requirement } from '../requirement.js'

/** Instances already placed, by host: counted from footprints, not from offers. */
export interface Placed {
  /** Of the pod type asked for. */
  readonly samePod: ReadonlyMap<string, number>
  readonly all: ReadonlyMap<string, number>
}

/** What the stages have settled so far. */
export interface Candidate {
  readonly pool: AgentPool
  /** Numbers by task and port name. */
  readonly ports: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** Stable; an operator and a test may rely on them. */
export type ReasonCode = 'MAX_PER_HOST' | 'LACKS_CPUS' | 'LACKS_MEM' | 'LACKS_DISK' | 'LACKS_PORTS' | 'PORT_TAKEN'

export type StageResult =
  | { readonly ok: true; readonly candidate: Candidate }
  | { readonly ok: false; readonly code: ReasonCode; readonly reason: string }

export type Stage = (requirement: Requirement, candidate: Candidate, placed: Placed) => StageResult

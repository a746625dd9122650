/**
 * The port to a cluster manager: one subscription, events in order, calls in order. Decides nothing.
 */
import type { FrameworkId } from '../ids.js'
import type { DriverEvent } from '../scheduler/events.js'
import type { Ack, MesosCall, Outgoing } from '../scheduler/output.js'

/** What identifies the framework; the role, principal and user can never change later. */
export interface FrameworkInfo {
  /** Absent only for the very first subscription of a service. */
  readonly id?: FrameworkId
  readonly name: string
  readonly role: string
  readonly principal: string
  readonly user: string
  /** How long the master keeps the tasks of a scheduler that is away. */
  readonly failoverTimeoutMs: number
  /** Shown by the master's web page. */
  readonly webUiUrl?: string
  readonly hostname?: string
}

export interface MesosDriverHandlers {
  /**
   * Asked before every SUBSCRIBE: writes a fenced record, then gives the framework to subscribe as. When it rejects, the
   * driver does not subscribe and tries again after its back-off, unless the error is not retryable; then it stops.
   */
  readonly beforeSubscribe: () => Promise<FrameworkInfo>
  /** Called in the order of the stream; must not block. */
  readonly onEvent: (event: DriverEvent) => void
  /** Something the operator should know, already worded; the driver goes on trying. */
  readonly onTrouble: (error: Error) => void
}

export interface MesosDriver {
  /** Begins to look for the leader and to subscribe, for ever, until `close`. */
  start(handlers: MesosDriverHandlers): void
  /**
   * Sends a call on the one ordered connection. Resolves when the master answered or when the call was dropped because its
   * stream is no longer the current one. Never rejects: a refused or unanswered call ends the stream where the protocol says
   * so (an ACCEPT without an answer always does), and the driver subscribes again.
   */
  send(outgoing: Outgoing<MesosCall | Ack>): Promise<void>
  /** Ends the stream without TEARDOWN: the tasks stay. */
  close(): Promise<void>
}

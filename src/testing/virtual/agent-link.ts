/**
 * The connection between a virtual agent and the master: messages with faults of their own, and the master's watch over silence.
 * Pings are not sent as messages; that none is answered while nothing passes is told to the master's books when it would notice.
 */
import type { AgentToMaster, MasterToAgent } from '../../mesos-model/protocol.js'
import type { VirtualClock } from './clock.js'
import type { VirtualMaster } from './master.js'
import type { Route } from './network.js'

type MessageType = AgentToMaster['type'] | MasterToAgent['type']

/** What is to become of the next message that fits. */
interface Trap {
  readonly type: MessageType | undefined
  readonly copies: 0 | 2
  /** Told when the message came by. */
  readonly onHit?: (() => void) | undefined
}

/** The faults that wait for messages of one agent, in both directions; they outlast its connections. */
export interface MessageFaults {
  readonly toAgent: Trap[]
  readonly toMaster: Trap[]
}

/** How many copies of it arrive. */
function copiesOf(type: MessageType, traps: Trap[]): number {
  const index = traps.findIndex((trap) => trap.type === undefined || trap.type === type)
  const [trap] = index < 0 ? [] : traps.splice(index, 1)
  trap?.onHit?.()
  return trap?.copies ?? 1
}

export interface AgentLinkParts {
  readonly clock: VirtualClock
  readonly route: Route
  readonly master: VirtualMaster
  readonly hostname: string
  /** Unique over the whole life of the cluster. */
  readonly name: string
  /** Silence that the master notices. */
  readonly pingTimeoutMs: number
  readonly faults: MessageFaults
  readonly receive: (message: MasterToAgent) => void
  /** Not told when the agent closes it. */
  readonly closed: () => void
}

export interface AgentLink {
  send(message: AgentToMaster): void
  /** The agent process has ended. */
  close(): void
  /** Its machine has lost the power: the master hears nothing more, and learns nothing until `break`. */
  vanish(): void
  /** The agent process hangs: it answers no ping. */
  fallSilent(): void
  break(): void
}

export function openAgentLink(parts: AgentLinkParts): AgentLink {
  const { clock, master, hostname, name, faults } = parts
  let silentSinceMs: number | undefined
  /** Whatever becomes of the route. */
  let isMute = false
  let cancelWatch = (): void => undefined

  const fallSilent = (): void => {
    if (silentSinceMs !== undefined) return
    silentSinceMs = clock.nowMs
    const sinceMs = silentSinceMs
    cancelWatch = clock.after(parts.pingTimeoutMs, () => master.linkSilent(name, sinceMs))
  }
  const line = parts.route.connect({
    nearClosed: parts.closed,
    farClosed() {
      cancelWatch()
      master.linkBroken(name)
    },
    cut: fallSilent,
    healed() {
      if (silentSinceMs === undefined || isMute) return
      cancelWatch()
      silentSinceMs = undefined
      // The next ping is answered.
      line.up(() => master.receive(name, { type: 'alive' }))
    },
  })

  const toAgent = (message: MasterToAgent): void => {
    for (let copies = copiesOf(message.type, faults.toAgent); copies > 0; copies--) line.down(() => parts.receive(message))
  }
  line.up(() => master.linkOpened(name, { hostname, send: toAgent, close: () => line.closeFar() }))

  return {
    send(message) {
      for (let copies = copiesOf(message.type, faults.toMaster); copies > 0; copies--)
        line.up(() => master.receive(name, message))
    },
    close: () => line.closeNear(),
    vanish() {
      isMute = true
      line.vanishNear()
      fallSilent()
    },
    fallSilent() {
      isMute = true
      fallSilent()
    },
    break: () => line.break(),
  }
}

/**
 * The master process of a virtual cluster: the books of `src/mesos-model/master.ts`, the streams and links that are open, and a
 * registry that outlives it. One input at a time; effects in order.
 */
import type { Event, MasterInfo } from '../../mesos/messages.js'
import { createMaster, nextMasterTickAtMs, stepMaster } from '../../mesos-model/master.js'
import type {
  MasterEffect,
  MasterInput,
  MasterRegistry,
  MasterRequest,
  MasterResponse,
  MasterState,
  MasterTimings,
  ModelEnv,
} from '../../mesos-model/master-state.js'
import type { AgentToMaster, MasterToAgent } from '../../mesos-model/protocol.js'
import { createAlarm, type VirtualClock } from './clock.js'
import type { WriteLog } from './log.js'

/** Whoever sent a request: takes its answer, and the events of the stream that the answer opens. */
export interface Asker {
  readonly answer: (response: MasterResponse) => void
  readonly event: (event: Event) => void
  readonly end: () => void
}

/** The master's end of the connection to an agent. */
export interface AgentEnd {
  readonly hostname: string
  readonly send: (message: MasterToAgent) => void
  readonly close: () => void
}

export interface MasterParts {
  readonly clock: VirtualClock
  readonly env: () => ModelEnv
  readonly write: WriteLog
  readonly info: MasterInfo
  readonly timings: MasterTimings
}

/** The leading master, whichever process it is at the moment. */
export interface VirtualMaster {
  readonly isUp: boolean
  /** Of the last one, while there is none. */
  books(): MasterState
  /** For tests that begin in the middle. */
  changeBooks(change: (books: MasterState) => MasterState): void
  request(request: MasterRequest, asker: Asker): void
  streamClosed(streamId: string): void
  linkOpened(link: string, end: AgentEnd): void
  receive(link: string, message: AgentToMaster): void
  linkSilent(link: string, sinceMs: number): void
  linkBroken(link: string): void
  /** False if there are no offers. */
  rescindOffers(): boolean
  stop(): boolean
  start(): boolean
}

const noRegistry: MasterRegistry = { agents: [], unreachable: [], gone: [] }

export function createVirtualMaster({ clock, env, write, info, timings }: MasterParts): VirtualMaster {
  const streams = new Map<string, Asker>()
  const links = new Map<string, AgentEnd>()
  let registry = noRegistry
  let incarnations = 0
  let isUp = false
  let state = createMaster(info, timings, registry, clock.nowMs)

  /** `asker` takes the answer if the input is a request. */
  const feed = (input: MasterInput, asker?: Asker): void => {
    if (!isUp) return
    const step = stepMaster(state, input, env())
    state = step.state
    for (const effect of step.effects) apply(effect, input, asker)
    alarm.set(nextMasterTickAtMs(state))
  }
  const alarm = createAlarm(clock, () => feed({ type: 'tick' }))

  const apply = (effect: MasterEffect, input: MasterInput, asker: Asker | undefined): void => {
    switch (effect.type) {
      case 'respond': {
        const { response } = effect
        if (response.streamId !== undefined && asker !== undefined) streams.set(response.streamId, asker)
        if (response.status >= 400 && input.type === 'request') {
          write({ type: 'requestRefused', status: response.status, text: String(response.body), body: input.request.body })
        }
        return asker?.answer(response)
      }
      case 'accepted':
        return write({ type: 'callTaken', streamId: effect.streamId, call: effect.call })
      case 'sendEvent':
        write({ type: 'eventSent', streamId: effect.streamId, event: effect.event })
        return streams.get(effect.streamId)?.event(effect.event)
      case 'closeStream': {
        const stream = streams.get(effect.streamId)
        streams.delete(effect.streamId)
        return stream?.end()
      }
      case 'toAgent': {
        const link = links.get(effect.link)
        if (effect.message.type === 'registered' && link !== undefined)
          write({ type: 'agentRegistered', agentId: effect.message.agentId, hostname: link.hostname })
        return link?.send(effect.message)
      }
      case 'closeLink':
        return links.get(effect.link)?.close()
      case 'storeRegistry':
        for (const agentId of effect.registry.gone) if (!registry.gone.includes(agentId)) write({ type: 'agentGone', agentId })
        registry = effect.registry
    }
  }

  const start = (): boolean => {
    if (isUp) return false
    isUp = true
    incarnations += 1
    // Ids of frameworks, agents and offers begin with that of the master which gave them.
    const id = incarnations === 1 ? info.id : `${info.id.slice(0, -4)}${incarnations.toString(16).padStart(4, '0')}`
    state = createMaster({ ...info, id }, timings, registry, clock.nowMs)
    if (incarnations > 1) write({ type: 'masterStarted' })
    alarm.set(nextMasterTickAtMs(state))
    return true
  }
  start()

  return {
    get isUp() {
      return isUp
    },
    books: () => state,
    changeBooks(change) {
      state = change(state)
      alarm.set(nextMasterTickAtMs(state))
    },
    request: (request, asker) => feed({ type: 'request', request }, asker),
    streamClosed(streamId) {
      if (streams.delete(streamId)) feed({ type: 'streamClosed', streamId })
    },
    linkOpened: (link, end) => void links.set(link, end),
    receive: (link, message) => feed({ type: 'agentMessage', link, message }),
    linkSilent: (link, sinceMs) => feed({ type: 'agentSilent', link, sinceMs }),
    linkBroken(link) {
      if (links.delete(link)) feed({ type: 'agentLinkBroken', link })
    },
    rescindOffers() {
      if (!isUp || state.offers.size === 0) return false
      feed({ type: 'rescindOffers' })
      return true
    },
    stop() {
      if (!isUp) return false
      isUp = false
      streams.clear()
      links.clear()
      alarm.set(Infinity)
      write({ type: 'masterStopped' })
      return true
    },
    start,
  }
}

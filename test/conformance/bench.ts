/**
 * What the statements are driven with: a virtual cluster, bare HTTP requests as a client would send them, and frameworks that do
 * nothing by themselves but acknowledge. Time is virtual. A task's command is the JSON of how its process behaves.
 */
import { expect } from 'vitest'
import type { Event, Offer, OperationStatus, Resource, TaskStatus } from '../../src/mesos/messages.js'
import { createVirtualCluster, type VirtualCluster, type VirtualClusterOptions } from '../../src/testing/virtual/cluster.js'
import type { TaskBehaviour } from '../../src/testing/virtual/tasks.js'
import { machine } from './messages.js'

/** One line of section 7.4 of the Mesos v1 reference. */
export interface Statement {
  /** `D12`. */
  readonly id: string
  readonly says: string
  readonly options?: BenchOptions
  readonly hold: (bench: Bench) => void | Promise<void>
}

export type BenchOptions = Partial<Pick<VirtualClusterOptions, 'agents' | 'timings' | 'masterInfo'>>

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export interface RawRequest {
  readonly body: unknown
  readonly method?: string
  readonly path?: string
  /** Beside or instead of `Content-Type` and `Accept`; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
}

export interface FrameworkOptions {
  readonly id?: string
  readonly roles?: readonly string[]
  readonly capabilities?: readonly string[]
  /** Instead of, or beside, the usual `FrameworkInfo`. */
  readonly info?: object
  /** Beside `framework_info`. */
  readonly subscribe?: object
  /** @defaultValue true */
  readonly acknowledges?: boolean
}

export interface Framework {
  readonly id: string
  readonly streamId: string
  readonly answer: Answer
  /** Since the subscription or since `forget`. */
  readonly events: readonly Event[]
  readonly isEnded: boolean
  call(type: string, payload?: object, headers?: RawRequest['headers']): Answer
  /** Offers that were neither taken back nor used, newest last. */
  offers(hostname?: string): Offer[]
  /** The newest of them. */
  offer(hostname?: string): Offer
  accept(offers: Offer | readonly Offer[], operations: readonly object[], filters?: object): Answer
  decline(offer: Offer, seconds?: number): Answer
  statuses(taskId?: string): TaskStatus[]
  states(taskId?: string): string[]
  operations(id?: string): OperationStatus[]
  rescinded(): string[]
  failures(): Extract<Event, { type: 'FAILURE' }>['failure'][]
  /** Acknowledges what came and was not yet. */
  acknowledge(): void
  setAcknowledging(isOn: boolean): void
  forget(): void
  /** The client closes its connection. */
  leave(): void
}

export interface Bench {
  readonly cluster: VirtualCluster
  send(request: RawRequest): Answer
  operate(type: string, payload?: object): Answer
  /** What a GET_* call answers. */
  view(type: string): Record<string, unknown>
  subscribe(options?: FrameworkOptions): Framework
  /** Lets time pass; frameworks acknowledge on the way. */
  advance(ms: number): Promise<void>
  /** Until then, at most for so long; fails otherwise. */
  waitFor(condition: () => boolean, limitMs?: number): Promise<void>
  agentId(hostname: string): string
}

export const usualCapabilities = ['MULTI_ROLE', 'PARTITION_AWARE', 'RESERVATION_REFINEMENT', 'TASK_KILLING_STATE']
export const usualInfo = {
  user: 'root',
  name: 'conformance',
  principal: 'p',
  checkpoint: true,
  failover_timeout: 600,
}

/** From the start of the cluster until all agents have registered. */
const settleMs = 600

export async function openBench(options: BenchOptions = {}): Promise<Bench> {
  const cluster = createVirtualCluster({
    agents: [machine(1), machine(2), machine(3)],
    ...options,
    behave: (task) => JSON.parse(task.command?.value ?? '{}') as TaskBehaviour,
  })
  const frameworks: (Framework & { readonly hasNews: () => boolean })[] = []
  let requests = 0

  const exchange = (request: RawRequest, listener?: Parameters<VirtualCluster['request']>[1]): Answer & { streamId?: string } => {
    const { body, method = 'POST', path = '/api/v1/scheduler' } = request
    const headers = { 'content-type': 'application/json', accept: 'application/json', ...request.headers }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const streamId = `stream-${++requests}`
    const response = cluster.request({ method, path, headers, body: text, streamId }, listener)
    if (response === undefined) throw new Error('there is no master')
    return { headers: {}, body: undefined, ...response }
  }

  const advance = async (ms: number): Promise<void> => {
    const untilMs = cluster.nowMs + ms
    while (await cluster.run(() => frameworks.some((framework) => framework.hasNews()), untilMs - cluster.nowMs))
      for (const framework of frameworks) if (framework.hasNews()) framework.acknowledge()
  }

  const bench: Bench = {
    cluster,
    send: exchange,
    operate(type, payload = {}) {
      return exchange({ path: '/api/v1', body: { type, [type.toLowerCase()]: payload } })
    },
    view(type) {
      const { status, body } = exchange({ path: '/api/v1', body: { type } })
      expect(status).toBe(200)
      return ((body as Record<string, unknown>)[type.toLowerCase()] ?? {}) as Record<string, unknown>
    },
    subscribe(how = {}) {
      const framework = createFramework(exchange, cluster, how)
      frameworks.push(framework)
      return framework
    },
    advance,
    async waitFor(condition, limitMs = 60_000) {
      const untilMs = cluster.nowMs + limitMs
      while (!condition() && cluster.nowMs < untilMs) await advance(100)
      expect(condition()).toBe(true)
    },
    agentId: (hostname) => cluster.agentBooks(hostname)?.id ?? '',
  }
  await advance(settleMs)
  return bench
}

type Exchange = (
  request: RawRequest,
  listener?: Parameters<VirtualCluster['request']>[1],
) => Answer & { readonly streamId?: string }

function createFramework(
  exchange: Exchange,
  cluster: VirtualCluster,
  options: FrameworkOptions,
): Framework & { readonly hasNews: () => boolean } {
  const { roles = ['db'], capabilities = usualCapabilities, info = {}, subscribe = {} } = options
  let events: Event[] = []
  let unacknowledged: Event[] = []
  let acknowledges = options.acknowledges ?? true
  let isEnded = false
  const open = new Map<string, Offer>()

  const take = (event: Event): void => {
    events.push(event)
    if (event.type === 'OFFERS') for (const offer of event.offers.offers ?? []) open.set(offer.id.value, offer)
    if (event.type === 'RESCIND') open.delete(event.rescind.offer_id.value)
    if (acknowledges && (event.type === 'UPDATE' || event.type === 'UPDATE_OPERATION_STATUS')) unacknowledged.push(event)
  }

  const idField = options.id === undefined ? {} : { id: { value: options.id } }
  const framework_info = { ...usualInfo, roles, capabilities: capabilities.map((type) => ({ type })), ...idField, ...info }
  const body = {
    type: 'SUBSCRIBE',
    ...(options.id === undefined ? {} : { framework_id: { value: options.id } }),
    subscribe: { framework_info, ...subscribe },
  }
  const answer = exchange({ body }, { onEvent: take, onEnd: () => void (isEnded = true) })
  const streamId = answer.headers['Mesos-Stream-Id'] ?? ''
  const [first] = events
  const id = first?.type === 'SUBSCRIBED' ? first.subscribed.framework_id.value : (options.id ?? '')

  const call: Framework['call'] = (type, payload = {}, headers = {}) =>
    exchange({
      headers: { 'mesos-stream-id': streamId, ...headers },
      body: { type, framework_id: { value: id }, [type.toLowerCase()]: payload },
    })

  const acknowledgeEvent = (event: Event): void => {
    if (event.type === 'UPDATE') {
      const { uuid, agent_id, task_id } = event.update.status
      if (uuid !== undefined) call('ACKNOWLEDGE', { uuid, agent_id, task_id })
    } else if (event.type === 'UPDATE_OPERATION_STATUS') {
      const { uuid, agent_id, operation_id } = event.update_operation_status.status
      if (uuid !== undefined) call('ACKNOWLEDGE_OPERATION_STATUS', { uuid: uuid.value, agent_id, operation_id })
    }
  }

  const framework: Framework & { readonly hasNews: () => boolean } = {
    id,
    streamId,
    answer,
    get events() {
      return events
    },
    get isEnded() {
      return isEnded
    },
    call,
    offers: (hostname) => [...open.values()].filter((offer) => hostname === undefined || offer.hostname === hostname),
    offer(hostname = 'agent-1') {
      const offer = framework.offers(hostname).at(-1)
      if (offer === undefined) throw new Error(`there is no offer of ${hostname}`)
      return offer
    },
    accept(offers, operations, filters = { refuse_seconds: 0 }) {
      const used = 'id' in offers ? [offers] : offers
      for (const offer of used) open.delete(offer.id.value)
      return call('ACCEPT', { offer_ids: used.map((offer) => offer.id), operations, filters })
    },
    decline(offer, seconds) {
      open.delete(offer.id.value)
      return call('DECLINE', {
        offer_ids: [offer.id],
        ...(seconds === undefined ? {} : { filters: { refuse_seconds: seconds } }),
      })
    },
    statuses(taskId) {
      const all = events.flatMap((event) => (event.type === 'UPDATE' ? [event.update.status] : []))
      return all.filter((status) => taskId === undefined || status.task_id.value === taskId)
    },
    states: (taskId) => framework.statuses(taskId).map((status) => status.state),
    operations(operationId) {
      const all = events.flatMap((event) =>
        event.type === 'UPDATE_OPERATION_STATUS' ? [event.update_operation_status.status] : [],
      )
      return all.filter((status) => operationId === undefined || status.operation_id?.value === operationId)
    },
    rescinded: () => events.flatMap((event) => (event.type === 'RESCIND' ? [event.rescind.offer_id.value] : [])),
    failures: () => events.flatMap((event) => (event.type === 'FAILURE' ? [event.failure] : [])),
    hasNews: () => unacknowledged.length > 0,
    acknowledge() {
      const news = unacknowledged
      unacknowledged = []
      if (cluster.masterBooks().frameworks.get(id)?.streamId === streamId) for (const event of news) acknowledgeEvent(event)
    },
    setAcknowledging(isOn) {
      acknowledges = isOn
      if (!isOn) unacknowledged = []
      else unacknowledged = events.filter((event) => event.type === 'UPDATE' || event.type === 'UPDATE_OPERATION_STATUS')
    },
    forget: () => void (events = []),
    leave() {
      cluster.closeStream(streamId)
      unacknowledged = []
    },
  }
  return framework
}

/** Cpus, memory or disk of resources, by who has reserved them: `''` for nobody. */
export function amountsOf(resources: readonly Resource[] | undefined, name: string): Record<string, number> {
  const amounts: Record<string, number> = {}
  for (const resource of resources ?? []) {
    if (resource.name !== name || resource.disk?.persistence !== undefined) continue
    const owner = (resource.reservations ?? []).map(({ role }) => role).join(' ')
    amounts[owner] = (amounts[owner] ?? 0) + (resource.scalar?.value ?? 0)
  }
  return amounts
}

/** Persistence ids of the volumes among resources. */
export const volumesOf = (resources: readonly Resource[] | undefined): string[] =>
  (resources ?? []).flatMap((resource) => resource.disk?.persistence?.id ?? []).sort()

/** A bare scheduler for tests: subscribes, collects events, acknowledges, and waits for what a test expects. */
import { request } from 'node:http'
import type { Event, Offer, Operation, OperationStatus, TaskStatus } from '../../src/mesos/messages.js'

const WAIT_LIMIT_MS = 60_000

export interface SchedulerClient {
  readonly frameworkId: () => string
  readonly events: Event[]
  readonly call: (call: Record<string, unknown>) => Promise<{ status: number; body: string }>
  readonly waitFor: <T>(what: string, find: (events: readonly Event[]) => T | undefined, fromIndex?: number) => Promise<T>
  readonly statuses: (taskId: string) => TaskStatus[]
  readonly waitForStatus: (taskId: string, state: string, fromIndex?: number) => Promise<TaskStatus>
  /** All offers that are valid now, of one agent's address. */
  readonly offersOf: (ip: string) => Offer[]
  readonly waitForOffer: (ip: string, fits?: (offer: Offer) => boolean) => Promise<Offer>
  readonly accept: (offers: readonly Offer[], operations: readonly Operation[], refuseSeconds?: number) => Promise<void>
  readonly disconnect: () => void
}

interface ClientOptions {
  readonly frameworkId?: string
  readonly capabilities?: readonly string[]
  readonly acknowledges?: boolean
}

const CAPABILITIES = ['MULTI_ROLE', 'PARTITION_AWARE', 'RESERVATION_REFINEMENT', 'TASK_KILLING_STATE', 'REGION_AWARE']

function post(
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8'), headers: response.headers }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(body))
  })
}

function readRecords(onEvent: (event: Event) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const end = rest.indexOf(10)
      if (end < 0) return
      const length = Number(rest.subarray(0, end).toString())
      if (rest.length < end + 1 + length) return
      onEvent(JSON.parse(rest.subarray(end + 1, end + 1 + length).toString('utf8')) as Event)
      rest = rest.subarray(end + 1 + length)
    }
  }
}

export async function connectScheduler(masterUrl: string, options: ClientOptions = {}): Promise<SchedulerClient> {
  const url = `${masterUrl}/api/v1/scheduler`
  const events: Event[] = []
  const offers = new Map<string, Offer>()
  let streamId = ''
  const framework = () => events.find((event) => event.type === 'SUBSCRIBED')?.subscribed.framework_id.value ?? ''
  const call = async (body: Record<string, unknown>): Promise<{ status: number; body: string }> =>
    await post(url, { framework_id: { value: framework() }, ...body }, { 'Mesos-Stream-Id': streamId })
  const onEvent = (event: Event): void => {
    events.push(event)
    if (event.type === 'OFFERS') for (const offer of event.offers.offers ?? []) offers.set(offer.id.value, offer)
    if (event.type === 'RESCIND') offers.delete(event.rescind.offer_id.value)
    if (options.acknowledges === false) return
    // A master that dies takes the acknowledgement with it; the agent repeats.
    if (event.type === 'UPDATE') acknowledge(event.update.status).catch(() => undefined)
    if (event.type === 'UPDATE_OPERATION_STATUS')
      acknowledgeOperation(event.update_operation_status.status).catch(() => undefined)
  }
  const acknowledge = async ({ uuid, agent_id, task_id }: TaskStatus): Promise<void> => {
    if (uuid !== undefined) await call({ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } })
  }
  const acknowledgeOperation = async ({ uuid, agent_id, operation_id }: OperationStatus): Promise<void> => {
    if (uuid !== undefined)
      await call({
        type: 'ACKNOWLEDGE_OPERATION_STATUS',
        acknowledge_operation_status: { agent_id, operation_id, uuid: uuid.value },
      })
  }
  const info = {
    user: 'root',
    name: 'test',
    roles: ['web'],
    principal: 'tester',
    checkpoint: true,
    failover_timeout: 600,
    capabilities: (options.capabilities ?? CAPABILITIES).map((type) => ({ type })),
    ...(options.frameworkId === undefined ? {} : { id: { value: options.frameworkId } }),
  }
  const outgoing = request(
    url,
    { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, agent: false },
    (response) => {
      streamId = String(response.headers['mesos-stream-id'])
      response.on('data', readRecords(onEvent))
      response.on('error', () => undefined)
    },
  )
  outgoing.on('error', () => undefined)
  const idField = options.frameworkId === undefined ? {} : { framework_id: { value: options.frameworkId } }
  outgoing.end(JSON.stringify({ type: 'SUBSCRIBE', ...idField, subscribe: { framework_info: info } }))

  const waitFor: SchedulerClient['waitFor'] = async (what, find, fromIndex = 0) => {
    const deadline = Date.now() + WAIT_LIMIT_MS
    for (;;) {
      const found = find(events.slice(fromIndex))
      if (found !== undefined) return found
      if (Date.now() > deadline)
        throw new Error(
          `${what} did not come; events: ${JSON.stringify(events.slice(fromIndex).filter((event) => event.type !== 'OFFERS')).slice(0, 4000)}`,
        )
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const statuses = (taskId: string, from = 0): TaskStatus[] =>
    events
      .slice(from)
      .flatMap((event) => (event.type === 'UPDATE' && event.update.status.task_id.value === taskId ? [event.update.status] : []))
  const offersOf = (ip: string): Offer[] => [...offers.values()].filter((offer) => offer.hostname === ip)
  await waitFor('SUBSCRIBED', (all) => all.find((event) => event.type === 'SUBSCRIBED'))
  return {
    frameworkId: framework,
    events,
    call,
    waitFor,
    statuses,
    waitForStatus: (taskId, state, from = 0) =>
      waitFor(`${state} of ${taskId}`, () => statuses(taskId, from).find((status) => status.state === state)),
    offersOf,
    waitForOffer: (ip, fits = () => true) => waitFor(`an offer of ${ip}`, () => offersOf(ip).find(fits)),
    accept: async (list, operations, refuseSeconds = 0) => {
      for (const offer of list) offers.delete(offer.id.value)
      const accept = { offer_ids: list.map((offer) => offer.id), operations, filters: { refuse_seconds: refuseSeconds } }
      const answer = await call({ type: 'ACCEPT', accept })
      if (answer.status !== 202) throw new Error(`ACCEPT: ${answer.status} ${answer.body}`)
    },
    disconnect: () => void outgoing.destroy(),
  }
}

/** A run as a person reads it: one line for each thing that mattered, in its order, with the broken promise where it broke. Pure. */
import type { Operation } from '../../offer-evaluator/operations.js'
import type { DriverEvent } from '../../scheduler/events.js'
import type { Ack, MesosCall } from '../../scheduler/output.js'
import type { InstanceRecord } from '../../scheduler/records/instance-record.js'
import type { RunRecord } from '../../plan/run-record.js'
import type { TaskRecord } from '../../state-machine/task-record.js'
import type { LogEntry } from '../virtual/log.js'
import type { SimulationResult, Violation } from './simulate.js'

/** Needs a result with a log. */
export function renderDiary({ plan, violations, log, startMs, virtualMs }: SimulationResult): string {
  const lines = [
    `seed ${plan.seed}: service ${plan.spec.name} on ${plan.agents} machines${plan.rival ? ', two schedulers' : ''}, ${countText(plan.faults.length, 'fault')}`,
    '',
  ]
  let told = 0
  const tellUntil = (atMs: number): void => {
    for (; told < violations.length && (violations[told] as Violation).atMs < atMs; told++)
      lines.push(violationLine(violations[told] as Violation))
  }
  for (const entry of log) {
    const atMs = entry.atMs - startMs
    tellUntil(atMs)
    const text = describe(entry)
    if (text !== undefined) lines.push(line(atMs, text[0], text[1]))
  }
  tellUntil(Infinity)
  lines.push('', violations.length === 0 ? `nothing went wrong in ${clockText(virtualMs)}` : `${violations[0]?.checker}: broken`)
  return `${lines.join('\n')}\n`
}

const countText = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`

const line = (atMs: number, who: string, text: string): string => `${clockText(atMs)}  ${who.padEnd(9)} ${text}`

const violationLine = ({ atMs, checker, text }: Violation): string => `${clockText(atMs)}  ${'!!!'.padEnd(9)} ${checker}: ${text}`

/** `1:02:03.004` */
export function clockText(ms: number): string {
  const pad = (value: number, width: number): string => String(value).padStart(width, '0')
  const seconds = Math.floor(ms / 1_000)
  return `${Math.floor(seconds / 3_600)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}.${pad(ms % 1_000, 3)}`
}

/** Who and what; undefined for what tells a reader nothing. */
function describe(entry: LogEntry): readonly [string, string] | undefined {
  switch (entry.type) {
    case 'fault':
      return ['fault', `${entry.ended ? 'over: ' : ''}${entry.text}`]
    case 'schedulerStarted':
      return [entry.scheduler, 'starts']
    case 'schedulerEnded':
      return [entry.scheduler, `${entry.how}${entry.error === undefined ? '' : `: ${entry.error}`}`]
    case 'sessionOpened':
      return [entry.scheduler, `opens the store, epoch ${entry.epoch}, ${entry.records.size} records`]
    case 'sessionEnded':
      return [entry.scheduler, `session of epoch ${entry.epoch} with the store: ${entry.end}`]
    case 'committed': {
      const changes = entry.writes.map(({ key, value }) => describeWrite(key, value))
      return changes.length === 0 ? undefined : [entry.scheduler, `stored ${changes.join('; ')}`]
    }
    case 'eventDelivered': {
      const text = describeEvent(entry.event)
      return text === undefined ? undefined : [`> ${entry.scheduler}`, text]
    }
    case 'callSent': {
      const text = describeCall(entry.call)
      return text === undefined ? undefined : [`${entry.scheduler} >`, text]
    }
    case 'commandGiven':
      return ['operator', JSON.stringify(entry.command)]
    case 'requestRefused':
      return ['master', `refuses a request with ${entry.status} ${entry.text}`]
    case 'masterStopped':
      return ['master', 'is down']
    case 'masterStarted':
      return ['master', 'is up']
    case 'agentRegistered':
      return [entry.hostname, `registers as ${entry.agentId}`]
    case 'agentGone':
      return ['master', `${entry.agentId} is marked gone`]
    case 'diskLost':
      return [entry.hostname, 'has lost its disk']
    case 'volumeCreated':
    case 'volumeDestroyed':
      return [entry.hostname, `volume ${entry.persistenceId} ${entry.type === 'volumeCreated' ? 'made' : 'DESTROYED'}`]
    case 'processStarted':
      return [entry.process.hostname, `process of ${entry.process.taskId} starts`]
    case 'processSignalled':
      return [entry.process.hostname, `${entry.signal} to ${entry.process.taskId}`]
    case 'processReady':
      return [entry.process.hostname, `${entry.process.taskId} is ready`]
    case 'processEnded':
      return [
        entry.process.hostname,
        `process of ${entry.process.taskId} ends (${entry.cause}${entry.code === undefined ? '' : `, exit code ${entry.code}`})`,
      ]
    case 'jobEnded':
      return [entry.scheduler, `hook ${entry.job.hook} answers ${JSON.stringify(entry.outcome)}`]
    case 'jobStarted':
    case 'statusMade':
    case 'callTaken':
    case 'eventSent':
      return undefined
  }
}

function describeWrite(key: string, value: string | null): string {
  if (value === null) return `${key} deleted`
  const [kind, name] = key.split('/')
  if (kind === 'tasks') {
    const { value: state, context, backoff } = JSON.parse(value) as TaskRecord
    const extra = [
      ...(context.killAtMs === undefined || state === 'ended' ? [] : ['to be killed']),
      ...(state === 'ended' ? [context.outcome ?? ''] : []),
      ...(context.ready && state === 'running' ? ['ready'] : []),
      ...(backoff.failures > 0 ? [`${countText(backoff.failures, 'failure')}`] : []),
    ]
    return `${name} ${state}${extra.length === 0 ? '' : ` (${extra.join(', ')})`}`
  }
  if (kind === 'instances') {
    const { owner, footprint, block } = JSON.parse(value) as InstanceRecord
    const entries = footprint?.entries ?? []
    const made = entries.filter((each) => each.state !== 'wanted').length
    const place = footprint === undefined ? 'nowhere' : `${made} of ${entries.length} resources on ${footprint.hostname}`
    const gates = Object.entries(block?.gates ?? {}).map(([gate, { state }]) => `, ${gate} ${state}`)
    return `${name}: owner ${owner}, ${place}${gates.join('')}`
  }
  if (kind === 'plans') {
    const { completedAtMs, paused } = JSON.parse(value) as RunRecord
    return `plan ${name}${completedAtMs === undefined ? '' : ' complete'}${paused ? ' paused' : ''}`
  }
  return key
}

function describeEvent(event: DriverEvent): string | undefined {
  switch (event.type) {
    case 'subscribed':
      return `subscribed, stream ${event.streamId.slice(0, 8)}`
    case 'disconnected':
      return `disconnected: ${event.reason}`
    case 'frameworkErrorReceived':
      return `error of the framework: ${event.message}`
    case 'offersReceived':
      return event.offers.length === 0
        ? undefined
        : `offers ${event.offers.map(({ id, agentId }) => `${shortId(id)} of ${shortId(agentId)}`).join(', ')}`
    case 'offerRescinded':
      return `offer ${shortId(event.offerId)} is rescinded`
    case 'taskStatusReceived': {
      const { taskId, state, source, reason, checkExitCode } = event.status
      return `${taskId} is ${state}, says the ${source.toLowerCase()}${reason === undefined ? '' : `, ${reason}`}${checkExitCode === undefined ? '' : `, check ${checkExitCode}`}`
    }
    case 'operationStatusReceived':
      return `operation ${event.status.operationId} is ${event.status.state}${event.status.message === undefined ? '' : `: ${event.status.message}`}`
    case 'agentFailed':
      return `agent ${event.agentId} has failed`
    case 'executorFailed':
      return undefined
  }
}

/** Ids of masters are long and differ at their ends. */
const shortId = (id: string): string => id.slice(id.lastIndexOf('-') + 1)

function describeCall(call: MesosCall | Ack): string | undefined {
  switch (call.type) {
    case 'accept':
      return `ACCEPT ${call.offerIds.map(shortId).join(', ')}: ${call.operations.map(describeOperation).join('; ')}`
    case 'kill':
      return `KILL ${call.taskId}`
    case 'reconcileTasks':
      return call.tasks.length === 0 ? 'RECONCILE all' : `RECONCILE ${call.tasks.map(({ taskId }) => taskId).join(', ')}`
    case 'reconcileOperations':
      return `RECONCILE_OPERATIONS ${call.operations.map(({ operationId }) => operationId).join(', ')}`
    case 'suppress':
    case 'revive':
      return call.type.toUpperCase()
    case 'decline':
    case 'acknowledgeTask':
    case 'acknowledgeOperation':
      return undefined
  }
}

const describeOperation = (operation: Operation): string =>
  operation.type === 'launchGroup'
    ? `launch ${operation.tasks.map(({ taskId }) => taskId).join(', ')}`
    : `${operation.type} ${operation.id}`

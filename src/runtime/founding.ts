/**
 * Before a service's first subscription: the master's operators are asked whether the service exists already. What the answers
 * mean is decided in `scheduler/founding.ts`; here they are asked for, and the decision is made durable before it has effect.
 */
import { isSdkError, SdkError } from '../errors.js'
import type { FrameworkId } from '../ids.js'
import type { Clock } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'
import type { OperatorApi } from '../ports/operator-api.js'
import { judgeFounding, type FoundingView } from '../scheduler/founding.js'
import type { ServiceSpec } from '../spec/schema.js'
import type { RunLoop } from './run-loop.js'

export interface FoundingParts {
  readonly spec: ServiceSpec
  /** Absent where there is no cluster that could hold anything: in the test kit. */
  readonly operatorApi?: OperatorApi
  /** The operator says that the service is new. */
  readonly foundNew?: boolean
  readonly clock: Clock
  readonly logger: Logger
}

export interface FoundingGuard {
  /**
   * Resolves when the first SUBSCRIBE may be sent, with the framework id to send if an earlier attempt was given one.
   * @throws SdkError `ERR_SERVICE_EXISTS`; `ERR_FOUNDING_UNSURE`, retryable when time may tell; those of the operator API.
   */
  pass(loop: RunLoop): Promise<FrameworkId | undefined>
  /** After the first subscription: says so if the answers had been filtered, which cannot be told from empty ones before. */
  confirm(id: FrameworkId): Promise<void>
}

export function createFoundingGuard({ spec, operatorApi, foundNew = false, clock, logger }: FoundingParts): FoundingGuard {
  const pass = async (loop: RunLoop): Promise<FrameworkId | undefined> => {
    if (operatorApi === undefined) return undefined
    const view = await look(operatorApi).catch((error: unknown) => {
      if (!isSdkError(error, 'ERR_NOT_PERMITTED')) throw error
      if (!foundNew) throw notPermitted(spec, error)
      logger.warn({}, `${error.message}. The service is founded unseen, because it was said to be new (foundNew)`)
      return undefined
    })
    const verdict = view === undefined ? { kind: 'new' as const } : judgeFounding(spec, loop.state().records, view, foundNew)
    if (verdict.kind === 'exists') throw serviceExists(spec, verdict.found)
    if (verdict.kind === 'wait') throw unsure(spec, verdict.reason)
    if (verdict.kind === 'adopt') return verdict.frameworkId
    await loop.submit({ type: 'foundingDecided', atMs: clock.now() })
    return undefined
  }

  const confirm = async (id: FrameworkId): Promise<void> => {
    const seen = await operatorApi?.frameworks().catch(() => undefined)
    if (seen === undefined || seen.some((framework) => framework.id === id)) return
    logger.warn(
      { frameworkId: id },
      `the operator API does not show this principal its own framework ${id}, so it would not have shown an earlier one either: ` +
        'the check against founding a service twice is blind here; grant view_frameworks, view_roles and view_tasks',
    )
  }
  return { pass, confirm }
}

const look = async (api: OperatorApi): Promise<FoundingView> => ({
  frameworks: await api.frameworks(),
  agents: await api.agents(),
  tasks: await api.tasks(),
})

const emptyStore = ({ name }: ServiceSpec): string => `the store of service ${name} holds no framework id`

const serviceExists = (spec: ServiceSpec, found: readonly string[]): SdkError =>
  new SdkError(
    'ERR_SERVICE_EXISTS',
    `${emptyStore(spec)}, and the cluster has: ${found.join('; ')}. A second one is not founded. ` +
      'If the address of the store is wrong, correct it; if the store was lost, rebuild it with stateward doctor SPEC --rebuild',
    { details: { service: spec.name, found } },
  )

const unsure = (spec: ServiceSpec, reason: string): SdkError =>
  new SdkError('ERR_FOUNDING_UNSURE', `${emptyStore(spec)}, and whether the service exists cannot be seen yet: ${reason}`, {
    details: { service: spec.name },
    retryable: true,
  })

const notPermitted = (spec: ServiceSpec, cause: SdkError): SdkError =>
  new SdkError(
    'ERR_FOUNDING_UNSURE',
    `${emptyStore(spec)}, and whether the service exists may not be asked: ${cause.message}. ` +
      'If this service was never deployed in this cluster, start it with foundNew: true',
    { details: { service: spec.name }, cause },
  )

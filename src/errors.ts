/**
 * One base error and the catalogue of its codes. A code is stable and never used again for something else; `docs/errors.md`
 * lists exactly these (a test compares). A message says what was attempted, on what, what was found and what to do. Pure.
 */

/** Every code the library can raise, with what it means. */
export const errorCodes = {
  ERR_SPEC_INVALID: 'A service spec breaks one or more rules; `details.issues` lists all of them with their paths.',
  ERR_SPEC_UNSUPPORTED: 'A sound spec asks for what this version cannot run; `details.issues` lists all of it with the paths.',
  ERR_HOOK_UNBOUND: 'A hook named in the spec has no function, or a function was given that the spec never names.',
  ERR_STORE_UNREACHABLE: 'The store did not answer.',
  ERR_STORE_REFUSED: 'The store answered, and refused: authentication, or a layout this version does not know.',
  ERR_STORE_LIMIT: 'A record or a batch is larger than the store takes; nothing was written.',
  ERR_STORE_SESSION_LOST: 'The session with the store is over; a new one must be opened.',
  ERR_STORE_DEPOSED: 'Another scheduler of this service has taken over; this one must not write any more.',
  ERR_LOCK_HELD: 'Another scheduler of this service is running.',
  ERR_STORED_STATE: 'A stored record cannot be read by this version; the message names record and field.',
  ERR_MASTER_UNREACHABLE: 'No Mesos master answered, or none of them leads.',
  ERR_MASTER_REFUSED: 'The master refused the subscription; trying again unchanged would not help.',
  ERR_NOT_PERMITTED: 'The master does not let this principal ask its operator API.',
  ERR_SERVICE_EXISTS: 'The store knows no framework, and the cluster has a framework, tasks or reservations of this service.',
  ERR_FOUNDING_UNSURE: 'The store knows no framework, and it cannot be seen whether the service exists in the cluster already.',
  ERR_REBUILD_REFUSED: 'A lost store cannot be rebuilt from what was found; nothing was written, `details.reasons` lists why.',
  ERR_FRAMEWORK_REMOVED: 'The master has removed this framework; its reservations and volumes still exist.',
  ERR_FAILED_OVER: 'Another scheduler has subscribed under the same framework id.',
  ERR_PROTOCOL: 'A peer sent something that the protocol does not allow.',
  ERR_CLUSTER: 'The local development cluster could not do what was asked.',
  ERR_INVALID_OPTION: 'An option given to the library is not usable; the message names it.',
  ERR_SCHEDULER_UNREACHABLE: 'No scheduler answered at the address given to the command line.',
  ERR_NOT_LEADING: 'The scheduler that was asked does not lead its service: it stands by, or is still opening its store.',
  ERR_EXPECTATION: 'A test with the test kit expected something else than what happened.',
  ERR_INVARIANT: 'The library found itself in a state it rules out. This is a bug in stateward.',
} as const satisfies Record<string, string>

export type ErrorCode = keyof typeof errorCodes

/** Marks our errors so that they are known across two copies of the library. */
const mark = Symbol.for('stateward.error')

export interface SdkErrorOptions {
  /** Whether the same attempt may succeed later without a change. Default false. */
  readonly retryable?: boolean
  /** Plain JSON: ids, limits, issue lists. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** Base of all errors of the library. */
export class SdkError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: SdkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SdkError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.details = options.details ?? {}
    Object.defineProperty(this, mark, { value: true })
  }
}

/** True for an error of the library, of any copy of it; with a code, only for that code. */
export function isSdkError(error: unknown, code?: ErrorCode): error is SdkError {
  if (typeof error !== 'object' || error === null || !(mark in error)) return false
  return code === undefined || (error as unknown as SdkError).code === code
}

/** States what must hold. @throws SdkError `ERR_INVARIANT` */
export function invariant(condition: unknown, message: string): asserts condition {
  if (condition === false || condition === undefined || condition === null) throw new SdkError('ERR_INVARIANT', message)
}

/** Ends a switch over a union: the compiler complains when a case is missing. */
export function assertNever(value: never): never {
  throw new SdkError('ERR_INVARIANT', `unexpected value ${JSON.stringify(value)}`)
}

/** What the HTTP API needs of the scheduler behind it. */
import type { OperatorCommand } from '../scheduler/events.js'
import type { ServiceStatus } from '../scheduler/report.js'

export interface ServiceApi {
  /** Undefined until the scheduler leads and has loaded its state. */
  readonly status: () => ServiceStatus | undefined
  /** Resolves when the command is decided on and stored. @throws SdkError retryable when the scheduler cannot take it now. */
  readonly command: (command: OperatorCommand) => Promise<void>
}

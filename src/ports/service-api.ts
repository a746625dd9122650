/** What the HTTP API needs of the scheduler behind it. */
import type { OperatorCommand } from '../scheduler/events.js'
import type { PodHistory, ServiceStatus } from '../scheduler/report.js'

/** What this scheduler is to its service. */
export interface Leadership {
  /**
   * `opening`: reaches for the store; `standby`: another scheduler leads, and this one waits for its lock; `leader`;
   * `stopped`: does nothing any more.
   */
  readonly role: 'opening' | 'standby' | 'leader' | 'stopped'
  /** Since when it is that, in epoch milliseconds. */
  readonly sinceMs: number
  /** Who leads, by the name it gave itself; absent while that is not known. */
  readonly leader?: string
  /** Of this scheduler's leadership; absent while it does not lead. */
  readonly epoch?: number
  /** Of a leader: false while the store does not answer. It decides nothing then, and another one may have taken over unseen. */
  readonly storeAnswers?: boolean
}

export interface ServiceApi {
  readonly leadership: () => Leadership
  /** Undefined until the scheduler leads and has loaded its state. */
  readonly status: () => ServiceStatus | undefined
  /** The last statuses and decisions of each task of a pod instance; undefined as for `status`, or when there is no such pod. */
  readonly history: (pod: string) => PodHistory | undefined
  /** Resolves when the command is decided on and stored. @throws SdkError retryable when the scheduler cannot take it now. */
  readonly command: (command: OperatorCommand) => Promise<void>
}

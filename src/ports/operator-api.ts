/** The port to what the leading master shows its operators. It reads only. */
import type { AgentsView, FrameworkView, KnownExecutor, KnownOperation, KnownTask } from '../scheduler/cluster-view.js'

/**
 * Every call asks anew.
 * @throws SdkError `ERR_NOT_PERMITTED` (the master refuses to answer this principal), `ERR_MASTER_UNREACHABLE` (retryable),
 * `ERR_PROTOCOL` (an answer that cannot be read).
 */
export interface OperatorApi {
  frameworks(): Promise<readonly FrameworkView[]>
  agents(): Promise<AgentsView>
  tasks(): Promise<readonly KnownTask[]>
  executors(): Promise<readonly KnownExecutor[]>
  operations(): Promise<readonly KnownOperation[]>
}

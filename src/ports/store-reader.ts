/** The port to a look at a store without leading: nothing is locked, nothing is changed, no leader is disturbed. */
import type { RecordKey } from './state-store.js'

export interface StoredRecords {
  readonly records: ReadonlyMap<RecordKey, string>
  /** Who holds the service's lock, by the name it gave itself; absent when nobody does. */
  readonly leader?: string
}

export interface StoreReader {
  /**
   * All records as they stood at one moment.
   * @throws SdkError `ERR_STORE_UNREACHABLE` (retryable), `ERR_STORE_REFUSED`.
   */
  read(): Promise<StoredRecords>
}

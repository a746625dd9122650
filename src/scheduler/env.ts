/** What the core may use beside state and events: ids, from a source that tests seed. */
import type { IdSource } from '../ids.js'

export interface Env {
  readonly ids: IdSource
}

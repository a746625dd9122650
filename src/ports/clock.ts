/** The port to time. The shell waits only through it, so that a simulation can let hours pass in milliseconds. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Calls back once after so many milliseconds, never before `after` has returned; the answer cancels. */
  after(ms: number, run: () => void): () => void
}

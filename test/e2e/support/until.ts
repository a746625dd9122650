/** Waiting for a condition, never for a duration. */

/** Two busy cores may need very long; a condition that comes true ends the wait at once. */
const limitMs = 60_000
const pollMs = 50

/**
 * The first value of `probe` that is neither undefined nor false. `explain` adds what is known when the time is over.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  explain: () => string | Promise<string> = () => '',
): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s\n${await explain()}`)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

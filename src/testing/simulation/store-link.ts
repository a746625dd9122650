/** The way between one place and the store, as far as it can be cut: what a cut keeps waiting passes when it is over. Pure. */
export interface StoreLink {
  readonly isCut: boolean
  /** Now, or when the cut is over; in order. */
  pass(run: () => void): void
  cut(): void
  heal(): void
}

export function createStoreLink(): StoreLink {
  let waiting: (() => void)[] | undefined
  return {
    get isCut() {
      return waiting !== undefined
    },
    pass(run) {
      if (waiting === undefined) run()
      else waiting.push(run)
    },
    cut: () => void (waiting ??= []),
    heal() {
      const kept = waiting ?? []
      waiting = undefined
      for (const run of kept) run()
    },
  }
}

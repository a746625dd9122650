/**
 * What a broker's own log says about where its data came from. Lines are looked for, not their order: loading, registration and
 * the first fetches run side by side. Pure.
 */

/** A fetch that began: the offset from which on a partition is copied from its leader. */
export interface FetchStart {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * `Added fetcher to broker 2 for partitions Map(t-0 -> InitialFetchState(Some(<topic id>),BrokerEndPoint(...),<leader epoch>,
 * <offset>), ...)`, in all the spellings of 3.9 to 4.3. Only the first start of each partition counts: later ones are changes of
 * its leader.
 */
export function fetchStarts(log: string, topic: string): FetchStart[] {
  const found = new Map<number, FetchStart>()
  const entry = /([A-Za-z0-9._-]+)-(\d+) -> InitialFetchState\((?:[^()[\]]|\([^()]*\)|\[[^[\]]*\])*?(-?\d+)\)/g
  for (const line of log.split('\n')) {
    if (!line.includes('Added fetcher to broker')) continue
    for (const [, name, partitionText, offsetText] of line.matchAll(entry)) {
      const partition = Number(partitionText)
      if (name === topic && !found.has(partition)) found.set(partition, { topic, partition, offset: Number(offsetText) })
    }
  }
  return [...found.values()].sort((left, right) => left.partition - right.partition)
}

/** Log end offsets of the partitions that were loaded from the disk at the start. */
export function loadedLogs(log: string, topic: string): Map<number, number> {
  const found = new Map<number, number>()
  const pattern = /Completed load of Log\(.*?topic=([^,]+), partition=(\d+),.*?logEndOffset=(\d+)\)/
  for (const line of log.split('\n')) {
    const match = pattern.exec(line)
    if (match?.[1] === topic) found.set(Number(match[2]), Number(match[3]))
  }
  return found
}

/** Partitions whose log was made anew, empty. */
export function createdLogs(log: string, topic: string): number[] {
  const matches = [...log.matchAll(/Created log for partition ([A-Za-z0-9._-]+)-(\d+) in /g)]
  return matches.filter((match) => match[1] === topic).map((match) => Number(match[2]))
}

/** The epoch under which this process registered; every start gets a new one. */
export function registeredEpoch(log: string): number | undefined {
  const match = /Successfully registered broker \d+ with broker epoch (\d+)/.exec(log)
  return match === null ? undefined : Number(match[1])
}

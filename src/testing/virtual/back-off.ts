/** Pauses between attempts to subscribe: the rules of `src/mesos/retry-delay.ts`, which the test kit may not import. Pure. */
import type { Chance } from './chance.js'

/** `soon`: a leader is about to be there. `normal`: nobody answers. `late`: somebody answers and refuses. */
export type RetryKind = 'soon' | 'normal' | 'late'

const minMs = 100
const initialMs = 500
const maxMs = 15_000
const factor = 2
const soonMaxMs = 2_000

export function backOff(kind: RetryKind, failures: number, chance: Pick<Chance, 'next'>): number {
  if (kind === 'late') return Math.round(maxMs * (0.5 + chance.next() / 2))
  const ceiling = Math.min(kind === 'soon' ? soonMaxMs : maxMs, initialMs * factor ** failures)
  return Math.round(minMs + chance.next() * (ceiling - minMs))
}

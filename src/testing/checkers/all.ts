/** Every checker that watches a simulation. */
import { acceptsAreCurrent } from './accepts-are-current.js'
import { acknowledged } from './acknowledged.js'
import { answeredFirst } from './answered-first.js'
import { atMostOne } from './at-most-one.js'
import { backOff } from './back-off.js'
import { blocks } from './blocks.js'
import type { CheckerDefinition } from './checker.js'
import { disruptionBudget } from './disruption-budget.js'
import { gates } from './gates.js'
import { ghosts } from './ghosts.js'
import { inPlace } from './in-place.js'
import { initialisedOnce } from './initialised-once.js'
import { intentBeforeEffect } from './intent-before-effect.js'
import { killsAreDue } from './kills-are-due.js'
import { limits } from './limits.js'
import { noDataLoss } from './no-data-loss.js'
import { offers } from './offers.js'
import { oneLeader } from './one-leader.js'
import { order } from './order.js'
import { ownVolumes } from './own-volumes.js'
import { ownership } from './ownership.js'
import { relaunchNeedsEnd } from './relaunch-needs-end.js'
import { stateEqualsStore } from './state-equals-store.js'

/** In the order in which they are told of each entry; the first to report names a run's failure. */
export const allCheckers: readonly CheckerDefinition[] = [
  intentBeforeEffect,
  acceptsAreCurrent,
  atMostOne,
  relaunchNeedsEnd,
  ghosts,
  noDataLoss,
  inPlace,
  ownVolumes,
  initialisedOnce,
  killsAreDue,
  backOff,
  oneLeader,
  answeredFirst,
  offers,
  blocks,
  order,
  gates,
  disruptionBudget,
  ownership,
  limits,
  stateEqualsStore,
  acknowledged,
]

/**
 * `TASKCFG_ALL_<KEY>` and `TASKCFG_<POD>_<KEY>`: variables of the scheduler that its tasks get, over those of the file. What is
 * for a pod beats what is for all; a variable that fits several pods is for the one with the longest name. The ancestor went by
 * the alphabet, and by every prefix that fits; where that comes to something else, a note says so, and leniently it is done. Pure.
 */
import { environmentPath, some, type Findings } from './findings.js'
import type { Env } from './variables.js'

/** A variable for a task. */
export interface Injected {
  readonly value: string
  /** The scheduler's variable that it comes from. */
  readonly from: string
}

/** By pod, then by name. */
export type Injections = ReadonlyMap<string, ReadonlyMap<string, Injected>>

const prefix = 'TASKCFG_'
const all = 'ALL'

/** The pod in the name of a variable. */
const toEnvName = (pod: string): string => pod.toUpperCase().replace(/[^A-Z0-9_]/g, '_')

export function injectEnvironment(env: Env, pods: readonly string[], findings: Findings): Injections {
  const names = Object.keys(env)
    .filter((name) => name.startsWith(prefix))
    .sort()
  const byAlphabet = new Map(pods.map((pod) => [pod, ancestorVariables(env, names, pod)]))
  if (findings.lenient) return byAlphabet
  const owners = new Map(names.map((name) => [name, ownerOf(name, pods)]))
  refuseUnclear(names, pods, owners, findings)
  const byPod = new Map(pods.map((pod) => [pod, ownVariables(env, names, pod, owners)]))
  for (const pod of pods) noteDifferences(pod, byPod.get(pod) ?? new Map(), byAlphabet.get(pod) ?? new Map(), findings)
  return byPod
}

/** What the variable gives to the pod, by its name there; undefined: nothing. */
function keyFor(name: string, scope: string): string | undefined {
  const start = `${prefix}${scope}_`
  return name.startsWith(start) && name.length > start.length ? name.slice(start.length) : undefined
}

/** Sorted by name, the last one wins. */
function ancestorVariables(env: Env, names: readonly string[], pod: string): Map<string, Injected> {
  const result = new Map<string, Injected>()
  for (const name of names) {
    const key = keyFor(name, all) ?? keyFor(name, toEnvName(pod))
    if (key !== undefined) result.set(key, { value: env[name] ?? '', from: name })
  }
  return result
}

function ownVariables(env: Env, names: readonly string[], pod: string, owners: Owners): Map<string, Injected> {
  const result = new Map<string, Injected>()
  const take = (name: string, key: string | undefined): void => {
    if (key !== undefined) result.set(key, { value: env[name] ?? '', from: name })
  }
  for (const name of names) take(name, keyFor(name, all))
  for (const name of names) if (owners.get(name) === toEnvName(pod)) take(name, keyFor(name, toEnvName(pod)))
  return result
}

/** Whom each variable is for: a pod as it is in variables, or all of them. */
type Owners = ReadonlyMap<string, string | undefined>

/** The longest name of a pod that fits, as it is in variables. */
function ownerOf(name: string, pods: readonly string[]): string | undefined {
  if (keyFor(name, all) !== undefined) return all
  const fitting = pods.map(toEnvName).filter((pod) => keyFor(name, pod) !== undefined)
  return fitting.sort((a, b) => b.length - a.length)[0]
}

function refuseUnclear(names: readonly string[], pods: readonly string[], owners: Owners, findings: Findings): void {
  for (const pod of pods) {
    const scope = toEnvName(pod)
    const unclear =
      scope === all || scope.startsWith(`${all}_`) ? names.find((name) => keyFor(name, scope) !== undefined) : undefined
    if (unclear !== undefined)
      findings.error(
        ['pods', pod],
        `${unclear} could be for the pod ${pod} or for all pods; rename the pod, or set the variable in env`,
        'key',
      )
  }
  for (const name of names) {
    if (owners.get(name) === undefined)
      findings.error(
        environmentPath(name),
        `${name} fits no pod (there are: ${some(pods)}); dcos-commons left it out without a word: remove or correct it`,
      )
  }
}

function noteDifferences(
  pod: string,
  mine: ReadonlyMap<string, Injected>,
  theirs: ReadonlyMap<string, Injected>,
  findings: Findings,
): void {
  for (const [key, { value, from }] of theirs) {
    const own = mine.get(key)
    if (own?.value === value) continue
    findings.note(
      environmentPath(from),
      own === undefined
        ? `dcos-commons would also have set ${key} in pod ${pod}; here ${from} is for the pod with the longer name alone`
        : `dcos-commons would have let ${from} win in pod ${pod}, by the alphabet; here ${own.from} wins, which is for the pod`,
    )
  }
}

/**
 * The database that the simulated service runs: a quorum system that counts its live replicas, and the author's code that asks
 * it. Gates open when the instance is up and its pod type has a majority; the order hook puts the leader, which is the lowest
 * live replica, last. Knows processes and nothing of the scheduler.
 */
import { SdkError } from '../../errors.js'
import type { HookContext, Hook, Hooks } from '../../runtime/hooks.js'
import { chanceOf } from '../virtual/chance.js'
import type { LogEntry } from '../virtual/log.js'
import type { VirtualProcess } from '../virtual/scheduler.js'

/** What the author's code does, instead of its work. */
export type HookTrouble = 'shut' | 'hang' | 'throw' | 'nonsense'

export interface Application {
  onEntry(entry: LogEntry): void
  /** The author's code inside one process; answers take a while. */
  hooksOf(process: VirtualProcess): Hooks
  setTrouble(trouble: HookTrouble, isOn: boolean): void
  /** Every server of every instance lives and is ready, whatever the scheduler has been told. */
  isUp(): boolean
}

const minAnswerMs = 20
const maxAnswerMs = 1_500

export interface ApplicationOptions {
  readonly seed: number
  readonly hookNames: readonly string[]
  /** Tasks that serve, by pod instance: `db-0` and `db-0-server`. */
  readonly servers: ReadonlyMap<string, readonly string[]>
}

export function createApplication({ seed, hookNames, servers }: ApplicationOptions): Application {
  const ready = new Set<string>()
  /** Those that have been up once: a replica that has yet to come is no member. */
  const members = new Set<string>()
  const troubles = new Map<HookTrouble, number>()
  const chance = chanceOf(seed, 'hooks')

  const isLive = (instance: string): boolean => (servers.get(instance) ?? []).every((task) => ready.has(task))
  const podOf = (instance: string): string => instance.replace(/-\d+$/, '')
  const hasMajority = (pod: string): boolean => {
    const replicas = [...members].filter((instance) => podOf(instance) === pod)
    return replicas.filter(isLive).length * 2 > replicas.length
  }

  const answer = ({ instance, candidates }: HookContext): Awaited<ReturnType<Hook>> => {
    if (candidates !== undefined) return leaderLast(candidates)
    if (instance === undefined) {
      const down = [...servers.keys()].find((name) => !isLive(name))
      return down === undefined ? { open: true, reason: 'all are up' } : { open: false, reason: `${down} is not up` }
    }
    const open = isLive(instance) && hasMajority(podOf(instance))
    return { open, reason: open ? `${instance} is up, with a majority` : `${instance} has not caught up` }
  }

  const leaderLast = (candidates: readonly string[]): readonly string[] => {
    const leader = candidates.find(isLive)
    return leader === undefined ? candidates : [...candidates.filter((name) => name !== leader), leader]
  }

  const answerInTrouble = (context: HookContext): Awaited<ReturnType<Hook>> => {
    if (troubles.has('throw')) throw new SdkError('ERR_EXPECTATION', 'the simulated hook fails')
    if (troubles.has('nonsense')) return ['nobody']
    if (troubles.has('shut') && context.candidates === undefined) return { open: false, reason: 'shut' }
    return answer(context)
  }

  const hookOf =
    ({ host }: VirtualProcess): Hook =>
    (context) =>
      new Promise((resolve, reject) => {
        if (troubles.has('hang')) return
        host.after(chance.between(minAnswerMs, maxAnswerMs), () => {
          try {
            resolve(answerInTrouble(context))
          } catch (error) {
            reject(error instanceof Error ? error : new SdkError('ERR_EXPECTATION', 'a hook failed', { cause: error }))
          }
        })
      })

  return {
    onEntry(entry) {
      if (entry.type === 'processReady') {
        ready.add(entry.process.name)
        for (const [instance, tasks] of servers) if (tasks.includes(entry.process.name)) members.add(instance)
      }
      if (entry.type === 'processStarted' || entry.type === 'processEnded') ready.delete(entry.process.name)
    },
    hooksOf(process) {
      const hook = hookOf(process)
      return Object.fromEntries(hookNames.map((name) => [name, hook]))
    },
    isUp: () => [...servers.keys()].every(isLive),
    setTrouble(trouble, isOn) {
      const count = (troubles.get(trouble) ?? 0) + (isOn ? 1 : -1)
      if (count > 0) troubles.set(trouble, count)
      else troubles.delete(trouble)
    },
  }
}

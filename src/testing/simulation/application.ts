/**
 * The database that the simulated service runs: a quorum system that counts its live replicas, and the author's code that asks
 * it. Gates open when the instance is up and its pod type has a majority; the order hook puts the leader, which is the lowest
 * live replica, last. Knows processes and the spec in force, and nothing of the scheduler.
 */
import { podInstanceName, taskName } from '../../ids.js'
import { oncePerSpec } from '../../plan/phases.js'
import type { HookContext, Hook, Hooks } from '../../runtime/hooks.js'
import { hookNames } from '../../scheduler/questions.js'
import type { ServiceSpec } from '../../spec/schema.js'
import { instanceOfTask } from '../checkers/names.js'
import { chanceOf } from '../virtual/chance.js'
import type { LogEntry } from '../virtual/log.js'
import type { VirtualProcess } from '../virtual/scheduler.js'

export interface Application {
  onEntry(entry: LogEntry): void
  /** The author's code inside one process, for the spec that it was started with; answers take a while. */
  hooksOf(process: VirtualProcess, spec: ServiceSpec): Hooks
  /** Every server of every instance lives and is ready, whatever the scheduler has been told. */
  isUp(): boolean
}

const minAnswerMs = 20
const maxAnswerMs = 1_500

export interface ApplicationOptions {
  readonly seed: number
  /** The spec in force: it says who belongs to the database. */
  readonly target: () => ServiceSpec
}

export function createApplication({ seed, target }: ApplicationOptions): Application {
  const ready = new Set<string>()
  /** Instances that have been up once: a replica that has yet to come is no member. */
  const members = new Set<string>()

  const isLive = (instance: string): boolean => (serversOf(target()).get(instance) ?? []).every((task) => ready.has(task))
  const membersNow = (): string[] => [...serversOf(target()).keys()].filter((instance) => members.has(instance))
  const podOf = (instance: string): string => instance.replace(/-\d+$/, '')
  const hasMajority = (pod: string): boolean => {
    const replicas = membersNow().filter((instance) => podOf(instance) === pod)
    return replicas.filter(isLive).length * 2 > replicas.length
  }

  const answer = ({ instance, candidates }: HookContext): Awaited<ReturnType<Hook>> => {
    if (candidates !== undefined) return leaderLast(candidates)
    if (instance === undefined) {
      const down = membersNow().find((name) => !isLive(name))
      return down === undefined ? { open: true, reason: 'all are up' } : { open: false, reason: `${down} is not up` }
    }
    const open = isLive(instance) && hasMajority(podOf(instance))
    return { open, reason: open ? `${instance} is up, with a majority` : `${instance} has not caught up` }
  }

  const leaderLast = (candidates: readonly string[]): readonly string[] => {
    const leader = candidates.find(isLive)
    return leader === undefined ? candidates : [...candidates.filter((name) => name !== leader), leader]
  }

  const hookOf = (name: string, process: VirtualProcess): Hook => {
    const chance = chanceOf(seed, `${process.name} hook ${name}`)
    return (context) =>
      new Promise((resolve) => {
        process.host.after(chance.between(minAnswerMs, maxAnswerMs), () => resolve(answer(context)))
      })
  }

  return {
    onEntry(entry) {
      if (entry.type === 'processReady') {
        ready.add(entry.process.name)
        members.add(instanceOfTask(entry.process.name))
      }
      if (entry.type === 'processStarted' || entry.type === 'processEnded') ready.delete(entry.process.name)
    },
    hooksOf: (process, spec) => Object.fromEntries(hookNames(spec).map((name) => [name, hookOf(name, process)])),
    isUp: () => [...serversOf(target()).keys()].every(isLive),
  }
}

/** Tasks that serve, by pod instance: `db-0` and `db-0-server`. */
const serversOf = oncePerSpec((spec): ReadonlyMap<string, readonly string[]> => {
  const result = new Map<string, readonly string[]>()
  for (const [pod, { count, tasks }] of Object.entries(spec.pods)) {
    const servers = Object.keys(tasks).filter((task) => tasks[task]?.goal === 'RUNNING')
    for (let index = 0; index < count; index++) {
      const instance = podInstanceName(pod, index)
      result.set(
        instance,
        servers.map((task) => taskName(instance, task)),
      )
    }
  }
  return result
})

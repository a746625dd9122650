/** What a plan may name: its machines, the tasks and pod instances of all its specs, the places of its schedulers. Pure. */
import { podInstanceName, taskName } from '../../ids.js'
import type { ServiceSpec } from '../../spec/schema.js'
import { buildVirtualAgents } from '../virtual/options.js'

/** Parts of a plan from which its names follow. */
export interface NamingParts {
  readonly spec: ServiceSpec
  readonly updates: readonly { readonly spec: ServiceSpec }[]
  readonly agents: number
  readonly rival: boolean
}

/** By the field of a fault that names it. */
export interface PlanNames {
  readonly agent: readonly string[]
  readonly task: readonly string[]
  readonly pod: readonly string[]
  readonly place: readonly string[]
}

export function namesOf({ spec, updates, agents, rival }: NamingParts): PlanNames {
  const specs = [spec, ...updates.map((update) => update.spec)]
  return {
    agent: buildVirtualAgents(agents).map(({ hostname }) => hostname),
    task: [...new Set(specs.flatMap(taskNames))],
    pod: [...new Set(specs.flatMap(instanceNames))],
    place: rival ? ['a', 'b'] : ['a'],
  }
}

const instanceNames = ({ pods }: ServiceSpec): string[] =>
  Object.entries(pods).flatMap(([pod, { count }]) => Array.from({ length: count }, (_, index) => podInstanceName(pod, index)))

const taskNames = ({ pods }: ServiceSpec): string[] =>
  Object.entries(pods).flatMap(([pod, { count, tasks }]) =>
    Array.from({ length: count }, (_, index) =>
      Object.keys(tasks).map((task): string => taskName(podInstanceName(pod, index), task)),
    ).flat(),
  )

/** A name in a fault that its plan does not know. */
export interface StrayName {
  readonly field: keyof PlanNames
  readonly found: string
  readonly known: readonly string[]
}

/** The first one; undefined when every name of the fault is known. */
export function strayNameIn(fault: object, names: PlanNames): StrayName | undefined {
  for (const field of ['agent', 'task', 'pod', 'place'] as const) {
    const found = (fault as Partial<Record<typeof field, string>>)[field]
    if (found !== undefined && !names[field].includes(found)) return { field, found, known: names[field] }
  }
  return undefined
}

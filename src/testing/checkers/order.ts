/**
 * The deployment follows its phases: an instance is taken in hand only when every instance of the earlier phases has been
 * deployed, in a serial phase also every one before it, and nothing starts that is in nobody's hands. Phases are read off the
 * spec: as declared, or one serial phase per pod type. That an instance was deployed shows in its record, and in what was told
 * of its tasks. What was in hand already when the spec changed goes on.
 */
import type { ServiceSpec } from '../../spec/schema.js'
import type { CheckerContext, CheckerDefinition } from './checker.js'
import { createMirror, instanceChanges, newLaunches, type Committed, type Mirror } from './mirror.js'
import { nameOfId, splitTaskName } from './names.js'
import { tellsReady } from './statuses.js'

export const order: CheckerDefinition = {
  name: 'order',
  watches: 'the deployment goes phase by phase, and in a serial phase one instance after the other',
  create(context) {
    const mirror = createMirror()
    /** When each task was first told ready, or to have finished. */
    const doneAtMs = new Map<string, number>()
    const launched = new Set<string>()

    const note = (batch: Committed): void => {
      const taken = instanceChanges(batch, mirror).flatMap(({ name, before, after }) =>
        after?.owner === 'deploy' && before?.owner !== 'deploy' ? [name] : [],
      )
      const launches = newLaunches(batch, mirror)
      const isDeploying = mirror.run('deploy')?.completedAtMs === undefined
      mirror.apply(batch)
      for (const name of taken)
        for (const earlier of earlierThan(name, mirror))
          checkDeployed(name, earlier, batch.decidedAtMs, mirror, doneAtMs, context)
      for (const { launch, name } of launches) {
        const instance = splitTaskName(name)?.instance ?? name
        if (isDeploying && !launched.has(instance) && mirror.instance(instance)?.owner === 'none')
          context.report(`${launch.taskId} is the first launch of ${instance}, which no plan had in hand`)
        launched.add(instance)
      }
    }

    return {
      onEntry(entry) {
        if (entry.type === 'committed') note(entry)
        if (entry.type !== 'eventDelivered' || entry.event.type !== 'taskStatusReceived') return
        const { status } = entry.event
        const name = nameOfId(status.taskId)
        const spec = mirror.taskSpec(name)
        const isDone = spec?.goal === 'RUNNING' ? tellsReady(status, spec) : status.state === 'FINISHED'
        if (isDone && !doneAtMs.has(name)) doneAtMs.set(name, entry.atMs)
      },
    }
  },
}

function checkDeployed(
  name: string,
  earlier: string,
  decidedAtMs: number,
  mirror: Mirror,
  doneAtMs: ReadonlyMap<string, number>,
  { report }: CheckerContext,
): void {
  if (mirror.instance(earlier)?.deployed !== true)
    return report(`${name} was taken in hand by the deployment before ${earlier} was deployed`)
  for (const task of Object.keys(mirror.podOf(earlier)?.tasks ?? {})) {
    const done = doneAtMs.get(`${earlier}-${task}`)
    if (done === undefined || done > decidedAtMs)
      report(`${name} was taken in hand by the deployment, and ${earlier}-${task} was never told ready or finished`)
  }
}

/** Instances that have to be deployed before this one is begun, by the wanted spec. */
function earlierThan(name: string, mirror: Mirror): string[] {
  const spec = mirror.spec(mirror.service()?.targetId)
  const result: string[] = []
  for (const { pod, isSerial } of spec === undefined ? [] : phasesOf(spec)) {
    const instances = Array.from({ length: spec?.pods[pod]?.count ?? 0 }, (_, index) => `${pod}-${index}`)
    const place = instances.indexOf(name)
    if (place >= 0) return [...result, ...(isSerial ? instances.slice(0, place) : [])]
    result.push(...instances)
  }
  return []
}

const phasesOf = (spec: ServiceSpec): { readonly pod: string; readonly isSerial: boolean }[] =>
  spec.deploy.phases?.map(({ pod, strategy }) => ({ pod, isSerial: strategy === 'serial' })) ??
  Object.keys(spec.pods).map((pod) => ({ pod, isSerial: true }))

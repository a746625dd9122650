/** The plans of a file: `deploy` and `update` become those of the spec, all others plans that an operator starts. Pure. */
import type { Context } from './context.js'
import type { ConvertedPod } from './convert-pod.js'
import { build, inside, type Fields, type Place } from './findings.js'
import { convertNames } from './names.js'
import type { RawPhase, RawPlan, RawService } from './raw-schema.js'
import type { Path } from './source-document.js'

/** What plans refer to. */
export interface KnownPod {
  readonly name: string
  readonly count: number | undefined
  readonly tasks: ConvertedPod['tasks']
}

/** Made by the scheduler itself; in the ancestor they hid it, or kept it from starting. */
const reserved = new Set(['recovery', 'decommission', 'uninstall'])

interface Plans {
  readonly deploy?: Fields
  readonly update?: Fields
  readonly plans?: Fields
}

export function convertPlans(raw: RawService, pods: ReadonlyMap<string, KnownPod>, context: Context): Plans {
  const { findings } = context
  const plans = raw.plans ?? new Map<string, RawPlan>()
  if (plans.size > 0 && !plans.has('deploy'))
    findings.note(
      ['plans'],
      'there is no plan deploy; dcos-commons refused that, and here pods are deployed one after the other',
      'key',
    )
  const given = [...plans.keys()]
  for (const name of given.filter((each) => reserved.has(each)))
    findings.error(['plans', name], `${name} is a plan of the scheduler itself; choose another name`, 'key')
  const own = given.filter((name) => !reserved.has(name) && name !== 'deploy' && name !== 'update')
  const names = convertNames(own, ['plans'], { what: 'the plan', max: 40 }, findings)
  const convert = (plan: RawPlan, name: string, to: Path): Fields =>
    convertPlan(plan, { to, from: ['plans', name] }, pods, context)
  const result: { deploy?: Fields; update?: Fields } = {}
  const ownPlans: Fields = {}
  for (const [name, plan] of plans) {
    if (name === 'deploy' || name === 'update') result[name] = convert(plan, name, [name])
    else if (!reserved.has(name)) {
      const label = names.get(name) ?? name
      ownPlans[label] = convert(plan, name, ['plans', label])
    }
  }
  return own.length === 0 ? result : { ...result, plans: ownPlans }
}

function convertPlan(raw: RawPlan, place: Place, pods: ReadonlyMap<string, KnownPod>, context: Context): Fields {
  const names = convertNames(
    raw.phases?.keys() ?? [],
    [...place.from, 'phases'],
    { what: 'the phase', max: 63 },
    context.findings,
  )
  const phases = [...(raw.phases ?? [])].map(([name, phase], index) => {
    const at: Place = { to: [...place.to, 'phases', index], from: [...place.from, 'phases', name] }
    return convertPhase(phase, names.get(name) ?? name, at, pods, context)
  })
  return build(context.origins, place, { strategy: ['strategy', raw.strategy], phases: ['phases', phases] })
}

function convertPhase(raw: RawPhase, name: string, place: Place, pods: ReadonlyMap<string, KnownPod>, context: Context): Fields {
  const pod = raw.pod === undefined ? undefined : pods.get(raw.pod)
  if (raw.pod !== undefined && pod === undefined) context.findings.noSuch([...place.from, 'pod'], 'pod', raw.pod, pods.keys())
  const podName = pod?.name ?? raw.pod
  return build(context.origins, place, {
    name: [[], name === podName ? undefined : name],
    pod: ['pod', podName],
    strategy: ['strategy', raw.strategy === 'canary' ? 'serial-canary' : raw.strategy],
    steps: ['steps', convertSteps(raw, inside(place, 'steps', 'steps'), pod, context)],
  })
}

function convertSteps(raw: RawPhase, place: Place, pod: KnownPod | undefined, context: Context): Fields[] | undefined {
  const { findings, origins } = context
  if (raw.steps === undefined || raw.steps.length === 0) return undefined
  const result: Fields[] = []
  const others: string[][] = []
  raw.steps.forEach((entry, index) => {
    if (entry === undefined) return
    const path = [...place.from, index]
    if (entry.size !== 1)
      return findings.error(path, `an item of steps has one key, an index or default (this has ${entry.size})`)
    const [[key, lists]] = [...entry] as [[string, Lists]]
    if (key !== 'default' && !/^\d{1,9}$/.test(key))
      return findings.error([...path, key], `must be the index of an instance or default (got ${JSON.stringify(key)})`, 'key')
    const instance = key === 'default' ? key : Number(key)
    if (typeof instance === 'number' && pod?.count !== undefined && instance >= pod.count)
      return findings.ignored([...path, key], `there is no instance ${instance}: the pod has ${pod.count}`, 'remove it')
    if (pod?.count === undefined)
      return others.push(...readLists(lists, [...path, key], [...place.to, 0, 'tasks'], pod, context, others.length))
    const to = [...place.to, result.length]
    const tasks = readLists(lists, [...path, key], [...to, 'tasks'], pod, context)
    result.push(build(origins, { to, from: path }, { instance: [[], instance], tasks: [key, tasks] }))
  })
  // Where the count is not known, nothing can be said of single instances.
  return pod?.count === undefined ? [{ instance: 'default', tasks: others }] : result
}

type Lists = readonly (readonly (string | undefined)[] | undefined)[]

/** Tasks by their names in the spec. `first` is the place of the first list there. */
function readLists(
  lists: Lists,
  from: Path,
  to: Path,
  pod: KnownPod | undefined,
  { findings, origins }: Context,
  first = 0,
): string[][] {
  return lists.map((names = [], step) => {
    origins.set([...to, first + step], [...from, step])
    return names.map((name = '', which) => {
      const at = [...from, step, which]
      origins.set([...to, first + step, which], at)
      const label = pod?.tasks.get(name)
      if (label === undefined && pod !== undefined) findings.noSuch(at, 'task', name, pod.tasks.keys())
      return label ?? name
    })
  })
}

/**
 * The environment of a task: that of the file, under it what the scheduler's own environment injects, under that what dcos-commons
 * itself set and a spec can say with placeholders. Pure.
 */
import type { Context, PodNames } from './context.js'
import { environmentPath, type Place } from './findings.js'
import type { RawTask } from './raw-schema.js'

/** What the ancestor set in every task, over the author's own. */
const builtIn = (service: string): Readonly<Record<string, string>> => ({
  FRAMEWORK_NAME: service,
  POD_INSTANCE_INDEX: '{{pod.index}}',
  TASK_NAME: '{{task.name}}',
})

export function convertEnvironment(raw: RawTask, pod: PodNames, place: Place, context: Context): Record<string, string> {
  const { findings, origins, injections, service } = context
  const env = new Map<string, string>()
  const path = [...place.from, 'env']
  const to = [...place.to, 'env']
  for (const [name, value] of raw.env ?? []) {
    origins.set([...to, name], [...path, name])
    if (value.includes('{{')) findings.error([...path, name], bracesProblem)
    else env.set(name, value)
  }
  for (const [name, { value, from }] of injections.get(pod.written) ?? []) {
    const source = environmentPath(from)
    origins.set([...to, name], source)
    if (value.includes('{{')) findings.error(source, bracesProblem)
    else env.set(name, value)
  }
  const taken = takenBySomethingElse(raw, pod)
  for (const [name, value] of Object.entries(builtIn(service))) {
    if (taken.has(name)) continue
    const given = env.get(name)
    if (given !== undefined && given !== value) {
      const source = origins.find([...to, name].map(String).join('.')).from
      findings.ignored(source, `${name} is set for every task`, 'remove it, or choose another name', 'key', {
        theirs: 'overrode it',
        ours: 'overridden',
      })
    }
    env.set(name, value)
  }
  return Object.fromEntries(env)
}

const bracesProblem = 'holds {{, which a spec takes for a placeholder; write the value in another way'

/** Variables that a port or a secret sets come after these. */
function takenBySomethingElse(raw: RawTask, { secretKeys }: PodNames): Set<string> {
  const ports = [...(raw.ports?.values() ?? [])].flatMap(({ 'env-key': key }) => (key === undefined ? [] : [key]))
  return new Set([...secretKeys, ...ports])
}

/** Set by DC/OS, or made of its host names: no cluster has them by itself. */
const foreign =
  /\b(FRAMEWORK_HOST|FRAMEWORK_VIP_HOST|SCHEDULER_API_HOSTNAME|SCHEDULER_API_PORT|PLACEMENT_REFERENCED_REGION|PLACEMENT_REFERENCED_ZONE|CONFIG_TEMPLATE_[A-Z0-9_]{1,200})\b/g

/** Says which variables commands and templates use that dcos-commons set and nobody sets here. */
export function noteForeignVariables(
  raw: RawTask,
  task: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>>,
  { from }: Place,
  { findings }: Context,
): void {
  const configs = Object.values((task['configs'] ?? {}) as Readonly<Record<string, { readonly text?: string }>>)
  const texts: [path: readonly string[], text: string | undefined][] = [
    [['cmd'], raw.cmd],
    [['health-check', 'cmd'], raw['health-check']?.cmd],
    [['readiness-check', 'cmd'], raw['readiness-check']?.cmd],
    [['configs'], configs.map(({ text = '' }) => text).join('\n')],
  ]
  const told = new Set(Object.keys(env))
  for (const [path, text = ''] of texts) {
    for (const [name] of text.matchAll(foreign)) {
      if (told.has(name)) continue
      told.add(name)
      findings.note([...from, ...path], `${name} was set by dcos-commons and is not here; set it in env if it is needed`)
    }
  }
}

/** One task of a pod. Pure, but for reading the templates of its configuration files. */
import type { Context, PodNames } from './context.js'
import { convertEnvironment, noteForeignVariables } from './convert-environment.js'
import { convertResources } from './convert-resources.js'
import { build, inside, type Fields, type Place } from './findings.js'
import { convertName, convertNames } from './names.js'
import type { RawTask } from './raw-schema.js'
import { readLabels } from './texts.js'

export function convertTask(raw: RawTask, pod: PodNames, place: Place, context: Context): Fields {
  const { findings, origins } = context
  const own = withoutShadowed(raw, place, context)
  const labels = raw.labels === undefined ? undefined : readLabels(raw.labels, [...place.from, 'labels'], findings)
  const set = raw['resource-set']
  if (set !== undefined && !pod.resourceSets.has(set))
    findings.noSuch([...place.from, 'resource-set'], 'resource set', set, pod.resourceSets.keys())
  const env = convertEnvironment(raw, pod, place, context)
  const task = build(origins, place, {
    goal: ['goal', convertGoal(raw, place, context)],
    command: ['cmd', raw.cmd],
    env: ['env', env],
    ...convertResources(own, place, context),
    resourceSet: ['resource-set', set === undefined ? undefined : (pod.resourceSets.get(set) ?? set)],
    essential: ['essential', raw.essential],
    configs: ['configs', convertConfigs(raw, inside(place, 'configs', 'configs'), context)],
    readinessCheck: ['readiness-check', convertReadinessCheck(raw, inside(place, 'readinessCheck', 'readiness-check'), context)],
    healthCheck: ['health-check', convertHealthCheck(raw, inside(place, 'healthCheck', 'health-check'), context)],
    // Without one the ancestor kills at once.
    killGraceMs: ['kill-grace-period', toMs(raw['kill-grace-period'] ?? 0)],
    discovery: ['discovery', convertDiscovery(raw, inside(place, 'discovery', 'discovery'), context)],
    labels: ['labels', labels],
    transportEncryption: ['transport-encryption', convertArtifacts(raw, place, context)],
    ipcMode: ['ipc-mode', raw['ipc-mode']],
    shmMb: ['shm-size', raw['shm-size']],
  })
  noteForeignVariables(raw, task, env, place, context)
  return task
}

const shadowed = ['cpus', 'gpus', 'memory', 'ports', 'volume', 'volumes', 'resource-limits'] as const

/** Resources are those of the set where one is named. */
function withoutShadowed(raw: RawTask, place: Place, { findings }: Context): RawTask {
  const set = raw['resource-set']
  if (set === undefined) return raw
  const own = { ...raw }
  for (const key of shadowed) {
    if (own[key] === undefined) continue
    findings.ignored(
      [...place.from, key],
      `has no effect beside resource-set`,
      `move it to the resource set ${set}, or remove it`,
    )
    delete own[key]
  }
  return own
}

function convertGoal({ goal }: RawTask, place: Place, { findings }: Context): string | undefined {
  if (goal === undefined) return undefined
  const upper = goal.toUpperCase()
  if (upper === 'RUNNING' || upper === 'FINISH' || upper === 'ONCE') return upper
  const toDo =
    upper === 'FINISHED'
      ? 'FINISHED is gone: write ONCE to run it once per instance, or FINISH to run it again when it changes'
      : `must be RUNNING, FINISH or ONCE (got ${JSON.stringify(goal)})`
  findings.error([...place.from, 'goal'], toDo)
  return undefined
}

const toMs = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1_000)

/** Mesos was told to check without a pause, or to give no time at all, by 0. */
function toPositiveMs(seconds: number | undefined, field: string, place: Place, { findings }: Context): number | undefined {
  if (seconds !== 0) return toMs(seconds)
  findings.error([...place.from, field], 'must be at least 1 second (got 0)')
  return undefined
}

function convertReadinessCheck(raw: RawTask, place: Place, context: Context): Fields | undefined {
  const check = raw['readiness-check']
  if (check === undefined) return undefined
  return build(context.origins, place, {
    command: ['cmd', check.cmd],
    delayMs: ['delay', toMs(check.delay ?? 0)],
    intervalMs: ['interval', toPositiveMs(check.interval, 'interval', place, context)],
    timeoutMs: ['timeout', toPositiveMs(check.timeout, 'timeout', place, context)],
  })
}

function convertHealthCheck(raw: RawTask, place: Place, context: Context): Fields | undefined {
  const check = raw['health-check']
  if (check === undefined) return undefined
  return build(context.origins, place, {
    command: ['cmd', check.cmd],
    delayMs: ['delay', toMs(check.delay)],
    intervalMs: ['interval', toPositiveMs(check.interval, 'interval', place, context)],
    timeoutMs: ['timeout', toPositiveMs(check.timeout, 'timeout', place, context)],
    graceMs: ['grace-period', toMs(check['grace-period'])],
    maxFailures: ['max-consecutive-failures', check['max-consecutive-failures']],
  })
}

function convertDiscovery(raw: RawTask, place: Place, { findings, origins }: Context): Fields | undefined {
  const { discovery } = raw
  if (discovery === undefined) return undefined
  const path = [...place.from, 'prefix']
  const prefix =
    discovery.prefix === undefined
      ? undefined
      : convertName(discovery.prefix, path, { what: 'the prefix of a discovery name', max: 56 }, findings, 'value')
  return build(origins, place, { prefix: ['prefix', prefix], visibility: ['visibility', discovery.visibility] })
}

function convertArtifacts(raw: RawTask, place: Place, { origins }: Context): Fields[] | undefined {
  return raw['transport-encryption']?.map((artifact, index) => {
    const at: Place = {
      to: [...place.to, 'transportEncryption', index],
      from: [...place.from, 'transport-encryption', index],
    }
    return build(origins, at, { name: ['name', artifact?.name], type: ['type', artifact?.type] })
  })
}

function convertConfigs(raw: RawTask, place: Place, context: Context): Fields | undefined {
  const { configs } = raw
  if (configs === undefined) return undefined
  const names = convertNames(configs.keys(), place.from, { what: 'the config', max: 60 }, context.findings)
  const result: Fields = {}
  for (const [name, { template, dest }] of configs) {
    const label = names.get(name) ?? name
    const at = inside(place, label, name)
    const text = template === undefined ? undefined : readTemplate(template, at, context)
    result[label] = build(context.origins, at, { text: ['template', text], dest: ['dest', dest] })
  }
  return result
}

function readTemplate(path: string, place: Place, { findings, readTemplate: read }: Context): string | undefined {
  const say = (message: string): undefined => void findings.error([...place.from, 'template'], message)
  let text: unknown
  try {
    text = read(path)
  } catch (error) {
    return say(`the template ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof text !== 'string') return say(`the template ${path} is no text`)
  return text === '' ? say(`the template ${path} is empty`) : text
}

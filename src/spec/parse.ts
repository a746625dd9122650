/**
 * From any value to a checked spec: shape by zod, then the rules that span fields. All problems are reported at once, each
 * with its path, what was found and what to do. Pure.
 */
import type { z } from 'zod'
import { SdkError } from '../errors.js'
import { findPlaceholders, simplePlaceholders } from './placeholders.js'
import { serviceSchema, type PodSpec, type ServiceSpec, type ServiceSpecInput, type TaskSpec } from './schema.js'

/** One problem of a spec. */
export interface SpecIssue {
  /** For example `pods.broker.tasks.server.memoryMb`. */
  readonly path: string
  /** What is wrong, what was found, what to do. */
  readonly message: string
}

export type SpecResult =
  { readonly ok: true; readonly spec: ServiceSpec } | { readonly ok: false; readonly issues: readonly SpecIssue[] }

/** Mesos and DNS take names of at most 63 characters; `<pod>-<index>-<task>` must fit. */
const maxComposedName = 63

/**
 * States a service once, as data.
 * @throws SdkError `ERR_SPEC_INVALID` with every problem in the message and in `details.issues`.
 */
export function defineService(input: ServiceSpecInput): ServiceSpec {
  return parseSpec(input)
}

/** Like `defineService`, for a value of unknown shape. */
export function parseSpec(input: unknown): ServiceSpec {
  const result = safeParseSpec(input)
  if (result.ok) return result.spec
  const lines = result.issues.map((issue) => `  ${issue.path === '' ? 'spec' : `spec.${issue.path}`}: ${issue.message}`)
  const count = lines.length === 1 ? 'one problem' : `${lines.length} problems`
  throw new SdkError('ERR_SPEC_INVALID', `the service spec has ${count}:\n${lines.join('\n')}`, {
    details: { issues: result.issues },
  })
}

/** Like `parseSpec`, with the problems as a value. */
export function safeParseSpec(input: unknown): SpecResult {
  const parsed = serviceSchema.safeParse(input, { reportInput: true })
  if (!parsed.success) return { ok: false, issues: parsed.error.issues.map(toIssue) }
  const issues = checkAcrossFields(parsed.data)
  return issues.length === 0 ? { ok: true, spec: deepFreeze(parsed.data) } : { ok: false, issues }
}

function toIssue(issue: z.core.$ZodIssue): SpecIssue {
  const path = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    return { path, message: `unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${issue.keys.join(', ')}; remove or correct` }
  }
  const found = shown(issue.input)
  return { path, message: found === undefined ? issue.message : `${issue.message} (got ${found})` }
}

function shown(input: unknown): string | undefined {
  if (input === undefined) return 'nothing'
  if (typeof input === 'object' && input !== null) return undefined
  const text = JSON.stringify(input) ?? typeof input
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function checkAcrossFields(spec: ServiceSpec): SpecIssue[] {
  const issues: SpecIssue[] = []
  const add = (path: string, message: string) => issues.push({ path, message })
  if (Object.keys(spec.pods).length === 0) add('pods', 'a service needs at least one pod')
  for (const name of Object.keys(spec.pods)) {
    // `<pod>-<index>-<task>` must be read back in one way only.
    if (/(^|-)\d+(-|$)/.test(name)) add(`pods.${name}`, 'a pod name must have no part that is all digits; add a letter to it')
  }
  for (const [podName, pod] of Object.entries(spec.pods)) checkPod(spec, podName, pod, add)
  checkPhases(spec, add)
  return issues
}

type Add = (path: string, message: string) => void

function checkPod(spec: ServiceSpec, podName: string, pod: PodSpec, add: Add): void {
  const path = `pods.${podName}`
  const tasks = Object.entries(pod.tasks)
  if (tasks.length === 0) add(`${path}.tasks`, 'a pod needs at least one task')
  else if (!tasks.some(([, task]) => task.goal === 'RUNNING')) {
    add(`${path}.tasks`, 'a pod needs a task with goal RUNNING; the others only prepare it or work beside it')
  }
  const paths = new Map<string, string>()
  for (const [name, volume] of Object.entries(pod.volumes)) {
    const at = volume.path ?? name
    const other = paths.get(at)
    if (other !== undefined) add(`${path}.volumes.${name}.path`, `"${at}" is also the path of volume ${other}`)
    paths.set(at, name)
  }
  const fixedPorts = new Map<number, string>()
  for (const [taskName, task] of tasks) {
    const taskPath = `${path}.tasks.${taskName}`
    const longest = `${podName}-${pod.count - 1}-${taskName}`
    if (longest.length > maxComposedName) {
      add(
        taskPath,
        `the task's full name ${longest} has ${longest.length} characters, ${maxComposedName} is the limit; shorten pod or task`,
      )
    }
    checkPorts(taskPath, task, fixedPorts, add)
    checkPlaceholders(spec, taskPath, task, add)
  }
  for (const [port, owner] of fixedPorts) {
    const rule = pod.placement.find((candidate) => candidate.type === 'maxPerHost')
    if (pod.count > 1 && (rule?.max ?? Infinity) > 1) {
      add(owner, `fixed port ${port} allows one instance per host; add placement maxPerHost(1) or take a dynamic port (0)`)
    }
  }
}

function checkPorts(taskPath: string, task: TaskSpec, fixedPorts: Map<number, string>, add: Add): void {
  const envKeys = new Map<string, string>()
  for (const [name, port] of Object.entries(task.ports)) {
    const path = `${taskPath}.ports.${name}`
    const other = fixedPorts.get(port.port)
    if (port.port !== 0) {
      if (other !== undefined) add(`${path}.port`, `port ${port.port} is also taken by spec.${other}`)
      fixedPorts.set(port.port, path)
    }
    if (port.envKey === undefined) continue
    if (port.envKey in task.env) add(`${path}.envKey`, `${port.envKey} is also set in env; one of them must go`)
    const twin = envKeys.get(port.envKey)
    if (twin !== undefined) add(`${path}.envKey`, `${port.envKey} is also the envKey of port ${twin}`)
    envKeys.set(port.envKey, name)
  }
}

function checkPlaceholders(spec: ServiceSpec, taskPath: string, task: TaskSpec, add: Add): void {
  for (const [name, text] of Object.entries(task.env)) {
    const path = `${taskPath}.env.${name}`
    for (const { text: found, placeholder } of findPlaceholders(text)) {
      if (placeholder === undefined) {
        add(
          path,
          `${found} is not a placeholder; known are ${simplePlaceholders.join(', ')}, values.NAME, ports.NAME, peers.POD.PORT, joined.POD.PORT`,
        )
      } else if (placeholder.kind === 'value' && spec.values[placeholder.name] === undefined) {
        add(path, `${found} names a value that spec.values does not have (it has: ${list(Object.keys(spec.values))})`)
      } else if (placeholder.kind === 'port' && task.ports[placeholder.port] === undefined) {
        add(path, `${found} names a port that this task does not have (it has: ${list(Object.keys(task.ports))})`)
      } else if (placeholder.kind === 'peers' || placeholder.kind === 'joined') {
        const ports = Object.values(spec.pods[placeholder.pod]?.tasks ?? {}).flatMap((peer) => Object.keys(peer.ports))
        if (spec.pods[placeholder.pod] === undefined) {
          add(path, `${found} names a pod that the service does not have (it has: ${list(Object.keys(spec.pods))})`)
        } else if (!ports.includes(placeholder.port)) {
          add(path, `${found} names a port that pod ${placeholder.pod} does not have (it has: ${list(ports)})`)
        }
      }
    }
    if (text.replace(/\{\{[^{}]*(?:\{[a-z]+\}[^{}]*)*\}\}/g, '').includes('{{')) {
      add(path, 'has {{ without a matching }}; write a placeholder as {{name}}')
    }
  }
}

function checkPhases(spec: ServiceSpec, add: Add): void {
  const phases = spec.deploy.phases
  if (phases === undefined) return
  const seen = new Set<string>()
  phases.forEach((phase, index) => {
    const path = `deploy.phases.${index}.pod`
    if (spec.pods[phase.pod] === undefined) {
      add(path, `there is no pod ${JSON.stringify(phase.pod)} (there are: ${list(Object.keys(spec.pods))})`)
    } else if (seen.has(phase.pod)) add(path, `pod ${phase.pod} has a phase already; one phase deploys a pod type`)
    seen.add(phase.pod)
  })
  for (const pod of Object.keys(spec.pods)) {
    if (!seen.has(pod)) add('deploy.phases', `pod ${pod} is in no phase and would never be deployed; add { pod: '${pod}' }`)
  }
}

const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}

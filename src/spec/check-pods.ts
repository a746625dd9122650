/** Rules that span the fields of pods and tasks: names that are put together, resources, paths, ports, what texts refer to. Pure. */
import { externalVolumeName } from './external-volumes.js'
import { list, type Add } from './issues.js'
import { own } from './own.js'
import { findPlaceholders, simplePlaceholders } from './placeholders.js'
import type { PodSpec, PortSpec, ResourceSetSpec, ServiceSpec, TaskSpec, VolumeSpec } from './schema.js'
import { resolveTask } from './task-resources.js'

/** Mesos and DNS take names of at most 63 characters; `<pod>-<index>-<task>` must fit. */
const maxComposedName = 63

export function checkPods(spec: ServiceSpec, add: Add): void {
  if (Object.keys(spec.pods).length === 0) add('pods', 'a service needs at least one pod')
  for (const name of Object.keys(spec.pods)) {
    // `<pod>-<index>-<task>` must be read back in one way only.
    if (/(^|-)\d+(-|$)/.test(name)) add(`pods.${name}`, 'a pod name must have no part that is all digits; add a letter to it')
  }
  for (const [name, pod] of Object.entries(spec.pods)) checkPod(spec, name, pod, add)
  checkDiscovery(spec, add)
  checkExternalVolumes(spec, add)
}

function checkPod(spec: ServiceSpec, podName: string, pod: PodSpec, add: Add): void {
  const path = `pods.${podName}`
  if (Object.keys(pod.tasks).length === 0) add(`${path}.tasks`, 'a pod needs at least one task')
  checkResourceSets(path, pod, add)
  checkNetworks(path, pod, add)
  checkSecrets(path, pod, add)
  const fixedPorts = createOnce(add, 'port')
  for (const [name, set] of Object.entries(pod.resourceSets ?? {}))
    checkResources(`${path}.resourceSets.${name}`, set, fixedPorts, add)
  for (const [taskName, task] of Object.entries(pod.tasks)) {
    const taskPath = `${path}.tasks.${taskName}`
    const longest = `${podName}-${Math.max(0, pod.count - 1)}-${taskName}`
    if (longest.length > maxComposedName) {
      add(
        taskPath,
        `the task's full name ${longest} has ${longest.length} characters, ${maxComposedName} is the limit; shorten pod or task`,
      )
    }
    checkTaskResources(taskPath, pod, task, add)
    if (task.resourceSet === undefined) checkResources(taskPath, task, fixedPorts, add)
    checkPaths(path, taskPath, pod, task, add)
    checkEnvironment(taskPath, pod, task, add)
    checkPlaceholders(spec, taskPath, pod, task, add)
    if (task.ipcMode === 'SHARE_PARENT' && task.shmMb !== undefined)
      add(`${taskPath}.shmMb`, "has no meaning with ipcMode SHARE_PARENT, which takes the pod's; remove one of them")
    const twice = repeated((task.transportEncryption ?? []).map(({ name, type }) => `${name} (${type})`))
    if (twice !== undefined) add(`${taskPath}.transportEncryption`, `${twice} is there twice; remove one`)
  }
  for (const [port, owner] of fixedPorts.taken) checkFixedPort(pod, Number(port), owner, add)
}

/** Says where something that may be there once is there again. */
function createOnce(add: Add, what: string) {
  const taken = new Map<string, string>()
  return {
    taken,
    take(value: string, path: string, owner = path): void {
      const other = taken.get(value)
      if (other !== undefined) add(path, `${what} ${value} is also taken by spec.${other}`)
      taken.set(value, owner)
    },
  }
}

const repeated = (values: readonly string[]): string | undefined => values.find((value, index) => values.indexOf(value) < index)

function checkResourceSets(path: string, pod: PodSpec, add: Add): void {
  const used = new Set(Object.values(pod.tasks).map((task) => task.resourceSet))
  for (const name of Object.keys(pod.resourceSets ?? {})) {
    if (!used.has(name)) add(`${path}.resourceSets.${name}`, 'no task runs on it; remove it, or name it in a task as resourceSet')
  }
}

/** Resources are the task's own or those of a set, never half of each. */
function checkTaskResources(path: string, pod: PodSpec, task: TaskSpec, add: Add): void {
  const ofSet = ['cpus', 'memoryMb', 'gpus', 'volumes', 'limits'] as const
  if (task.resourceSet === undefined) {
    for (const key of ['cpus', 'memoryMb'] as const) {
      if (task[key] === undefined) add(`${path}.${key}`, 'is missing; give it, or a resourceSet that has it')
    }
    return
  }
  if (own(pod.resourceSets, task.resourceSet) === undefined) {
    add(
      `${path}.resourceSet`,
      `there is no resource set ${JSON.stringify(task.resourceSet)} in the pod (there are: ${list(Object.keys(pod.resourceSets ?? {}))})`,
    )
  }
  for (const key of ofSet) {
    if (task[key] !== undefined)
      add(`${path}.${key}`, `has no effect beside resourceSet; move it to resource set ${task.resourceSet}`)
  }
  if (Object.keys(task.ports).length > 0)
    add(`${path}.ports`, `has no effect beside resourceSet; move it to resource set ${task.resourceSet}`)
}

type Resources = Pick<ResourceSetSpec, 'ports' | 'limits'> & Pick<TaskSpec, 'cpus' | 'memoryMb'>

function checkResources(
  path: string,
  { cpus, memoryMb, limits, ports }: Resources,
  fixedPorts: ReturnType<typeof createOnce>,
  add: Add,
) {
  if (typeof limits?.cpus === 'number' && limits.cpus < (cpus ?? 0))
    add(`${path}.limits.cpus`, `must be at least what is reserved, ${cpus ?? 0} (got ${limits.cpus})`)
  if (typeof limits?.memoryMb === 'number' && limits.memoryMb < (memoryMb ?? 0))
    add(`${path}.limits.memoryMb`, `must be at least what is reserved, ${memoryMb ?? 0} (got ${limits.memoryMb})`)
  const envKeys = new Map<string, string>()
  for (const [name, port] of Object.entries(ports)) {
    const portPath = `${path}.ports.${name}`
    if (port.port !== 0) fixedPorts.take(String(port.port), `${portPath}.port`, portPath)
    if (port.port !== 0 && port.ranges !== undefined)
      add(`${portPath}.ranges`, `has no meaning for the fixed port ${port.port}; remove it, or take port 0`)
    checkVip(portPath, name, port, ports, add)
    if (port.envKey === undefined) continue
    const twin = envKeys.get(port.envKey)
    if (twin !== undefined) add(`${portPath}.envKey`, `${port.envKey} is also the envKey of port ${twin}`)
    envKeys.set(port.envKey, name)
  }
}

/** Two ports behind one virtual address are meant only where both name it. */
function checkVip(path: string, name: string, { vip }: PortSpec, ports: Readonly<Record<string, PortSpec>>, add: Add): void {
  const prefix = vip?.prefix
  if (prefix !== undefined && prefix !== name && own(ports, prefix) !== undefined)
    add(`${path}.vip.prefix`, `${prefix} is the name of another port of the task; choose another`)
}

function checkFixedPort(pod: PodSpec, port: number, owner: string, add: Add): void {
  const isSpread = pod.placement.some(
    (rule) => (rule.type === 'maxPerHost' && rule.max === 1) || (rule.type === 'unique' && rule.key === 'hostname'),
  )
  if (pod.count > 1 && !isSpread && usesHostPorts(pod))
    add(owner, `fixed port ${port} allows one instance per host; add placement maxPerHost(1) or take a dynamic port (0)`)
}

/** On a virtual network without port mapping every pod has an address of its own. */
export const usesHostPorts = ({ networks = {} }: Pick<PodSpec, 'networks'>): boolean =>
  Object.keys(networks).length === 0 || Object.keys(networks).some((name) => mapsPorts(name, networks[name]))

type Network = NonNullable<PodSpec['networks']>[string]

const mapsPorts = (name: string, network: Network | undefined): boolean =>
  name === 'mesos-bridge' || (network?.portMappings ?? []).length > 0

function checkNetworks(path: string, { networks = {} }: PodSpec, add: Add): void {
  for (const [name, { portMappings = [] }] of Object.entries(networks)) {
    const at = `${path}.networks.${name}.portMappings`
    // Every pod has an address of its own there.
    if (name === 'dcos' && portMappings.length > 0) add(at, 'the network dcos maps no ports; remove it')
    const twice = repeated(portMappings.map(({ hostPort }) => String(hostPort)).filter((port) => port !== '0'))
    if (twice !== undefined) add(at, `host port ${twice} is mapped twice; remove one`)
  }
}

function checkSecrets(path: string, pod: PodSpec, add: Add): void {
  const keys = createOnce(add, 'the environment variable')
  for (const [name, { envKey }] of Object.entries(pod.secrets ?? {})) {
    if (envKey !== undefined) keys.take(envKey, `${path}.secrets.${name}.envKey`)
  }
}

/** Everything that is put into the sandbox of one task. */
function checkPaths(podPath: string, taskPath: string, pod: PodSpec, task: TaskSpec, add: Add): void {
  const paths = createOnce(add, 'the path')
  const takeVolumes = (at: string, volumes: Readonly<Record<string, VolumeSpec>> = {}): void => {
    for (const [name, volume] of Object.entries(volumes)) paths.take(volume.path ?? name, `${at}.volumes.${name}.path`)
  }
  takeVolumes(podPath, pod.volumes)
  for (const [name, { path }] of Object.entries(pod.hostVolumes ?? {})) paths.take(path, `${podPath}.hostVolumes.${name}.path`)
  for (const [name, { path }] of Object.entries(pod.externalVolumes ?? {}))
    paths.take(path, `${podPath}.externalVolumes.${name}.path`)
  for (const [name, { file }] of Object.entries(pod.secrets ?? {})) {
    if (file !== undefined) paths.take(file, `${podPath}.secrets.${name}.file`)
  }
  const set = task.resourceSet
  takeVolumes(set === undefined ? taskPath : `${podPath}.resourceSets.${set}`, resolveTask(pod, task).volumes)
  for (const [name, { dest }] of Object.entries(task.configs ?? {})) paths.take(dest, `${taskPath}.configs.${name}.dest`)
}

function checkEnvironment(path: string, pod: PodSpec, task: TaskSpec, add: Add): void {
  const secrets = new Map(Object.entries(pod.secrets ?? {}).map(([name, { envKey }]) => [envKey, name]))
  for (const [name, { envKey }] of Object.entries(resolveTask(pod, task).ports)) {
    if (envKey === undefined) continue
    const at = task.resourceSet === undefined ? `${path}.ports.${name}.envKey` : `${path}.resourceSet`
    if (Object.hasOwn(task.env, envKey)) add(at, `${envKey} is also set in env; one of them must go`)
    const secret = secrets.get(envKey)
    if (secret !== undefined) add(at, `${envKey} is also the envKey of secret ${secret}; one of them must go`)
  }
  for (const name of Object.keys(task.env)) {
    const secret = secrets.get(name)
    if (secret !== undefined) add(`${path}.env.${name}`, `is also the envKey of secret ${secret}; one of them must go`)
  }
}

function checkPlaceholders(spec: ServiceSpec, taskPath: string, pod: PodSpec, task: TaskSpec, add: Add): void {
  const { ports } = resolveTask(pod, task)
  for (const [name, text] of Object.entries(task.env)) {
    const path = `${taskPath}.env.${name}`
    for (const { text: found, placeholder } of findPlaceholders(text)) {
      if (placeholder === undefined) {
        add(
          path,
          `${found} is not a placeholder; known are ${simplePlaceholders.join(', ')}, values.NAME, ports.NAME, peers.POD.PORT, joined.POD.PORT`,
        )
      } else if (placeholder.kind === 'value' && own(spec.values, placeholder.name) === undefined) {
        add(path, `${found} names a value that spec.values does not have (it has: ${list(Object.keys(spec.values))})`)
      } else if (placeholder.kind === 'port' && own(ports, placeholder.port) === undefined) {
        add(path, `${found} names a port that this task does not have (it has: ${list(Object.keys(ports))})`)
      } else if (placeholder.kind === 'peers' || placeholder.kind === 'joined') {
        const peers = own(spec.pods, placeholder.pod)
        const known = Object.values(peers?.tasks ?? {}).flatMap((peer) =>
          Object.keys(peers === undefined ? {} : resolveTask(peers, peer).ports),
        )
        if (peers === undefined) {
          add(path, `${found} names a pod that the service does not have (it has: ${list(Object.keys(spec.pods))})`)
        } else if (!known.includes(placeholder.port)) {
          add(path, `${found} names a port that pod ${placeholder.pod} does not have (it has: ${list(known)})`)
        } else if (known.indexOf(placeholder.port) !== known.lastIndexOf(placeholder.port)) {
          add(path, `${found} could be the port of several tasks of pod ${placeholder.pod}; give one of them another name`)
        }
      }
    }
    if (hasOpenPlaceholder(text)) add(path, 'has {{ without a matching }}; write a placeholder as {{name}}')
  }
}

/** Looks at each pair of braces once, however many there are. */
function hasOpenPlaceholder(text: string): boolean {
  for (let at = text.indexOf('{{'); at >= 0;) {
    const end = text.indexOf('}}', at)
    if (end < 0) return true
    at = text.indexOf('{{', end)
  }
  return false
}

/** What the storage system knows under one name is one volume, whoever asks for it. */
function checkExternalVolumes(spec: ServiceSpec, add: Add): void {
  const owners = new Map<string, { readonly path: string; readonly shared: boolean }>()
  for (const [podName, pod] of Object.entries(spec.pods)) {
    for (const [name, volume] of Object.entries(pod.externalVolumes ?? {})) {
      const path = `pods.${podName}.externalVolumes.${name}`
      const { shared = false } = volume
      const known = JSON.stringify([volume.driver, externalVolumeName(spec.name, podName, volume)])
      const other = owners.get(known)
      if (other !== undefined && !(shared && other.shared))
        add(`${path}.name`, `is the same volume as spec.${other.path}; give one of them another name, or let both be shared`)
      owners.set(known, { path, shared })
    }
  }
}

/** One name in discovery stands for one pod instance. */
function checkDiscovery(spec: ServiceSpec, add: Add): void {
  const pods = new Map<string, string>()
  for (const [podName, pod] of Object.entries(spec.pods)) {
    for (const [taskName, { discovery }] of Object.entries(pod.tasks)) {
      const prefix = discovery?.prefix
      if (prefix === undefined) continue
      const other = pods.get(prefix)
      if (other !== undefined && other !== podName)
        add(`pods.${podName}.tasks.${taskName}.discovery.prefix`, `${prefix} is also a prefix of pod ${other}; choose another`)
      pods.set(prefix, podName)
    }
  }
}

/**
 * The service file of dcos-commons: every field there is, before anything is made of it. Names are the file's own. Source: the
 * raw model of its `specification/yaml` package; `docs/reference/dcos-commons.md` lists what becomes of each field. Pure.
 */
import { boolean, decimal, integer, list, map, object, required, text, type Raw } from './raw-shape.js'

const volume = object(
  { path: required(text), type: required(text), profiles: list(text), size: required(integer) },
  { hints: { name: 'a volume has no name; its path is its name' } },
)

const range = object({ begin: integer, end: integer })
const vip = object({ port: required(integer), prefix: text }, { hints: { name: 'the name is called prefix' } })
const port = object({ port: required(integer), 'env-key': text, advertise: boolean, vip, ranges: list(range) })

const resources = {
  cpus: decimal,
  gpus: decimal,
  memory: integer,
  ports: map(port),
  volume,
  volumes: map(volume),
  'resource-limits': object({ cpus: text, memory: text }, { hints: { mem: 'the field is called memory' } }),
}

const resourceSet = object(resources, { hints: { mem: 'the field is called memory' } })

const healthCheck = object({
  cmd: required(text),
  interval: required(integer),
  timeout: required(integer),
  delay: required(integer),
  'grace-period': required(integer),
  'max-consecutive-failures': required(integer),
})
const readinessCheck = object({ cmd: required(text), interval: required(integer), timeout: required(integer), delay: integer })

const task = object(
  {
    goal: required(text),
    cmd: required(text),
    env: map(text, { nothingIs: '' }),
    essential: boolean,
    ...resources,
    'resource-set': text,
    labels: text,
    configs: map(object({ template: required(text), dest: required(text) })),
    'health-check': healthCheck,
    'readiness-check': readinessCheck,
    discovery: object({ prefix: text, visibility: text }),
    'transport-encryption': list(object({ name: required(text), type: required(text) })),
    'kill-grace-period': integer,
    'ipc-mode': text,
    'shm-size': integer,
  },
  {
    hints: {
      uris: 'a task has no uris; move them to its pod',
      image: 'a task has no image; move it to its pod',
      user: 'a task has no user; set scheduler.user',
      placement: 'a task has no placement; move it to its pod',
      mem: 'the field is called memory',
      command: 'the field is called cmd',
    },
  },
)

const network = object({ 'host-ports': list(integer), 'container-ports': list(integer), labels: text })
const hostVolume = object({ 'host-path': required(text), 'container-path': required(text), mode: text })
const externalVolume = object({
  type: required(text),
  'driver-name': required(text),
  'driver-options': text,
  'volume-name': text,
  'volume-mode': required(text),
  'container-path': required(text),
})
const secret = object({ secret: required(text), 'env-key': text, file: text })

const pod = object(
  {
    count: required(integer),
    'allow-decommission': boolean,
    image: { ...text, mayBeEmpty: true },
    placement: text,
    uris: list(text),
    rlimits: map(object({ soft: integer, hard: integer })),
    networks: map(network, { nothingIs: 'empty' }),
    volume,
    volumes: map(volume),
    'host-volumes': map(hostVolume),
    'external-volumes': map(externalVolume),
    secrets: map(secret),
    'resource-sets': map(resourceSet),
    tasks: required(map(task)),
    'pre-reserved-role': text,
    'share-pid-namespace': boolean,
    'seccomp-unconfined': boolean,
    'seccomp-profile-name': text,
    'ipc-mode': text,
    'shm-size': integer,
  },
  {
    tookUnknown: true,
    hints: {
      user: 'a pod has no user, whatever manuals say; set scheduler.user',
      strategy: 'a strategy belongs into a phase of plans',
      container: 'the image of old files is now called image; write image: NAME directly in the pod',
    },
  },
)

const phase = object({ pod: required(text), strategy: text, steps: list(map(list(list(text)))) })
const plan = object({ strategy: text, phases: required(map(phase)) })

export const serviceShape = object({
  name: required(text),
  'web-url': text,
  scheduler: object({ principal: text, zookeeper: text, user: text }),
  pods: required(map(pod)),
  plans: map(plan),
})

export type RawService = Raw<typeof serviceShape>
export type RawPod = Raw<typeof pod>
export type RawTask = Raw<typeof task>
export type RawResources = Raw<typeof resourceSet>
export type RawPort = Raw<typeof port>
export type RawVolume = Raw<typeof volume>
export type RawNetwork = Raw<typeof network>
export type RawExternalVolume = Raw<typeof externalVolume>
export type RawPlan = Raw<typeof plan>
export type RawPhase = Raw<typeof phase>

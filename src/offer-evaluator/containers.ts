/**
 * Spec -> containers: what a pod's executor and its tasks see of the agent beside their resources. Volumes and limits of processes
 * go to the executor and to every task of it, as Mesos wants them; an image, system calls and process ids to the tasks alone. Pure.
 */
import { externalVolumeName } from '../spec/external-volumes.js'
import type { PodSpec } from '../spec/schema.js'
import { hasLimits, type ResolvedTask } from '../spec/task-resources.js'
import type { Container, ContainerVolume, LinuxSettings } from './container-record.js'

/** The pod instance whose containers these are. */
export interface PodPlace {
  readonly service: string
  /** Name of the pod type. */
  readonly pod: string
  readonly index: number
  readonly spec: PodSpec
}

/** Undefined when it is like any other. */
export function buildExecutorContainer({ spec, ...place }: PodPlace): Container | undefined {
  const { shmMb, ipcMode } = spec
  // Mesos takes limits only from tasks that share no cgroups, and then from none of the executor. It is said of the executor too,
  // so that everybody who joins it knows.
  const cgroups: LinuxSettings = hasLimits(spec) ? { shareCgroups: false } : {}
  return orNothing(sharedVolumes(spec, place), spec, { ...ipcOf(ipcMode, shmMb), ...cgroups })
}

/** `executor`: the container that the task's executor was sent with. */
export function buildTaskContainer(
  { spec, ...place }: PodPlace,
  { ipcMode, shmMb }: ResolvedTask,
  executor: Container | undefined,
): Container | undefined {
  const { image, seccomp, sharePidNamespace } = spec
  const linux: LinuxSettings = {
    ...(sharePidNamespace === true ? { sharePidNamespace } : {}),
    ...(seccomp === undefined ? {} : { seccomp }),
    ...ipcOf(ipcMode, shmMb),
    ...(hasOwnCgroups(executor) ? { shareCgroups: false } : {}),
  }
  return orNothing([...(image === undefined ? [] : [sandboxTmp]), ...sharedVolumes(spec, place)], spec, linux, image)
}

const hasOwnCgroups = (executor: Container | undefined): boolean => executor?.linux?.shareCgroups === false

/** What a task writes to `/tmp` counts as its sandbox and goes with it; an image's own layer is in nobody's books. */
const sandboxTmp: ContainerVolume = { type: 'sandbox', sandboxPath: 'tmp', path: '/tmp' }

/** The size can only be that of a `/dev/shm` of one's own. */
const ipcOf = (ipcMode: LinuxSettings['ipcMode'], shmMb: number | undefined): LinuxSettings =>
  shmMb === undefined ? (ipcMode === undefined ? {} : { ipcMode }) : { ipcMode: ipcMode ?? 'PRIVATE', shmMb }

function sharedVolumes(
  { hostVolumes = {}, externalVolumes = {}, secrets = {} }: PodSpec,
  place: Omit<PodPlace, 'spec'>,
): ContainerVolume[] {
  const ofHost = Object.values(hostVolumes).map(({ hostPath, path, mode = 'RW' }): ContainerVolume => ({
    type: 'host',
    hostPath,
    path,
    mode,
  }))
  const external = Object.values(externalVolumes).map(({ driver, options = {}, path, mode, ...naming }): ContainerVolume => ({
    type: 'external',
    driver,
    name: externalVolumeName(place.service, place.pod, naming, place.index),
    // In the order in which they are stored: an executor is repeated to the letter.
    options: Object.fromEntries(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))),
    path,
    mode,
  }))
  const files = Object.values(secrets).flatMap(({ secret, file }): ContainerVolume[] =>
    file === undefined ? [] : [{ type: 'secret', secret, path: file }],
  )
  return [...ofHost, ...external, ...files]
}

function orNothing(
  volumes: ContainerVolume[],
  { rlimits: wanted = {} }: PodSpec,
  linux: LinuxSettings,
  image?: string,
): Container | undefined {
  const rlimits = Object.entries(wanted).map(([name, limit]) => (limit === 'unlimited' ? { name } : { name, ...limit }))
  const isLinux = Object.keys(linux).length > 0
  if (image === undefined && volumes.length === 0 && rlimits.length === 0 && !isLinux) return undefined
  return { ...(image === undefined ? {} : { image }), volumes, rlimits, ...(isLinux ? { linux } : {}) }
}

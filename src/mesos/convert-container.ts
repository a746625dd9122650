/**
 * Containers between the core and the wire. Back again only for executors: one that lives is repeated as it was sent, also by a
 * scheduler that lost what it had stored. Pure. Source: Mesos v1 `ContainerInfo`, `Volume`, `Secret`, `LinuxInfo`, `RLimitInfo`.
 */
import { assertNever } from '../errors.js'
import type { Container, ContainerVolume, LinuxSettings } from '../offer-evaluator/container-record.js'
import type * as wire from './messages.js'

/** `paths` of the executor's sandbox, which outlives its tasks: each of them sees them under the same path. */
export function toContainer(paths: readonly string[], container: Container | undefined): wire.ContainerInfo | undefined {
  if (container === undefined && paths.length === 0) return undefined
  const { image, volumes = [], rlimits = [], linux } = container ?? {}
  const all = [...paths.map(toParentVolume), ...volumes.map(toVolume)]
  return {
    type: 'MESOS',
    ...(all.length === 0 ? {} : { volumes: all }),
    ...(image === undefined ? {} : { mesos: { image: { type: 'DOCKER', docker: { name: image } } } }),
    ...(linux === undefined ? {} : { linux_info: toLinuxInfo(linux) }),
    ...(rlimits.length === 0 ? {} : { rlimit_info: { rlimits: rlimits.map(toRLimit) } }),
  }
}

const toParentVolume = (path: string): wire.Volume => ({
  mode: 'RW',
  container_path: path,
  source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path } },
})

export const toSecret = (name: string): wire.Secret => ({ type: 'REFERENCE', reference: { name } })

function toVolume(volume: ContainerVolume): wire.Volume {
  switch (volume.type) {
    case 'host':
      return { mode: volume.mode, container_path: volume.path, host_path: volume.hostPath }
    case 'external':
      return {
        mode: volume.mode,
        container_path: volume.path,
        source: {
          type: 'DOCKER_VOLUME',
          docker_volume: { driver: volume.driver, name: volume.name, ...toDriverOptions(volume.options) },
        },
      }
    case 'secret':
      return { mode: 'RO', container_path: volume.path, source: { type: 'SECRET', secret: toSecret(volume.secret) } }
    case 'sandbox':
      return {
        mode: 'RW',
        container_path: volume.path,
        source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'SELF', path: volume.sandboxPath } },
      }
    default:
      return assertNever(volume)
  }
}

function toDriverOptions(options: Readonly<Record<string, string>>): Pick<wire.DockerVolume, 'driver_options'> {
  const parameter = Object.entries(options).map(([key, value]) => ({ key, value }))
  return parameter.length === 0 ? {} : { driver_options: { parameter } }
}

const toLinuxInfo = ({ sharePidNamespace, seccomp, ipcMode, shmMb, shareCgroups }: LinuxSettings): wire.LinuxInfo => ({
  ...(sharePidNamespace === undefined ? {} : { share_pid_namespace: sharePidNamespace }),
  ...(seccomp === undefined
    ? {}
    : { seccomp: seccomp === 'unconfined' ? { unconfined: true } : { profile_name: seccomp.profile } }),
  ...(ipcMode === undefined ? {} : { ipc_mode: ipcMode }),
  ...(shmMb === undefined ? {} : { shm_size: shmMb }),
  ...(shareCgroups === undefined ? {} : { share_cgroups: shareCgroups }),
})

const toRLimit = ({ name, soft, hard }: Container['rlimits'][number]): wire.RLimit => ({
  type: name.replace(/^RLIMIT_/, 'RLMT_'),
  ...(soft === undefined || hard === undefined ? {} : { soft, hard }),
})

/** What this version never sends to an executor is left out. Declared defaults, which a master writes, count as not given. */
export function fromContainer(info: wire.ContainerInfo): Container {
  const linux = info.linux_info === undefined ? {} : fromLinuxInfo(info.linux_info)
  return {
    volumes: (info.volumes ?? []).flatMap((volume) => fromVolume(volume) ?? []),
    rlimits: (info.rlimit_info?.rlimits ?? []).map(({ type = '', soft, hard }) => ({
      name: type.replace(/^RLMT_/, 'RLIMIT_'),
      ...(soft === undefined || hard === undefined ? {} : { soft, hard }),
    })),
    ...(Object.keys(linux).length === 0 ? {} : { linux }),
  }
}

function fromVolume({ mode, container_path: path, host_path: hostPath, source }: wire.Volume): ContainerVolume | undefined {
  if (hostPath !== undefined) return { type: 'host', hostPath, path, mode }
  const { docker_volume: docker, secret } = source ?? {}
  if (docker !== undefined) {
    const options = Object.fromEntries((docker.driver_options?.parameter ?? []).map(({ key, value }) => [key, value]))
    return { type: 'external', driver: docker.driver ?? '', name: docker.name, options, path, mode }
  }
  return secret?.reference === undefined ? undefined : { type: 'secret', secret: secret.reference.name, path }
}

const fromLinuxInfo = ({ ipc_mode: ipcMode, shm_size: shmMb, share_cgroups: shareCgroups }: wire.LinuxInfo): LinuxSettings => ({
  ...(ipcMode === undefined ? {} : { ipcMode }),
  ...(shmMb === undefined ? {} : { shmMb }),
  ...(shareCgroups === false ? { shareCgroups } : {}),
})

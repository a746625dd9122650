/** Directories of persistent volumes (mesos-v1.md 3.5) and how tasks reach them: a symbolic link in the sandbox. */
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { SdkError } from '../errors.js'
import type { ContainerInfo, Resource } from '../mesos/messages.js'

function volumeDirectory(agentDirectory: string, volume: Resource): string {
  const { source, persistence } = volume.disk ?? {}
  const role = volume.reservations?.at(-1)?.role ?? volume.role ?? '*'
  const mountRoot = source?.mount?.root
  if (source?.type === 'MOUNT' && mountRoot !== undefined) return resolve(agentDirectory, mountRoot)
  const root = source?.type === 'PATH' ? resolve(agentDirectory, source.path?.root ?? '.') : agentDirectory
  return join(root, 'volumes', 'roles', role.replaceAll('/', ' '), persistence?.id ?? '')
}

/** A directory that exists already is adopted with its content. */
export const createVolumeDirectory = (agentDirectory: string, volume: Resource): void =>
  void mkdirSync(volumeDirectory(agentDirectory, volume), { recursive: true })

export function destroyVolumeDirectory(agentDirectory: string, volume: Resource): void {
  const directory = volumeDirectory(agentDirectory, volume)
  if (volume.disk?.source?.type !== 'MOUNT') return rmSync(directory, { recursive: true, force: true })
  for (const name of existsSync(directory) ? readdirSync(directory) : [])
    rmSync(join(directory, name), { recursive: true, force: true })
}

function linkOnce(target: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) symlinkSync(target, path)
}

/** Paths with a slash are skipped, as by agents without a mount namespace. */
export function linkVolumes(agentDirectory: string, resources: readonly Resource[] | undefined, sandbox: string): string[] {
  const directories: string[] = []
  for (const resource of resources ?? []) {
    const path = resource.disk?.volume?.container_path
    if (resource.disk?.persistence === undefined || path === undefined) continue
    const directory = volumeDirectory(agentDirectory, resource)
    directories.push(directory)
    mkdirSync(directory, { recursive: true })
    if (!path.includes('/')) linkOnce(directory, join(sandbox, path))
  }
  return directories
}

/**
 * Volumes that a task's container asks for: a path of its executor's sandbox, of its own, or of the machine.
 *
 * @throws SdkError ERR_CLUSTER, naming what this cluster cannot mount; the launch fails with it.
 */
export function linkContainerVolumes(container: ContainerInfo | undefined, sandbox: string, parentSandbox: string): void {
  for (const { container_path: path, host_path: hostPath, source } of container?.volumes ?? []) {
    if (isAbsolute(path)) throw new SdkError('ERR_CLUSTER', `Container path '${path}' is absolute, which needs a mount namespace`)
    const hostSource = hostPath ?? source?.host_path?.path
    const sandboxPath = source?.sandbox_path
    let target: string
    if (hostSource !== undefined) target = hostSource
    else if (source?.type === 'SANDBOX_PATH' && sandboxPath !== undefined)
      target = join(sandboxPath.type === 'PARENT' ? parentSandbox : sandbox, sandboxPath.path)
    else throw new SdkError('ERR_CLUSTER', `Container volume '${path}' has a source that the local cluster does not have`)
    if (!existsSync(target)) mkdirSync(target, { recursive: true })
    mkdirSync(join(sandbox, path, '..'), { recursive: true })
    linkOnce(target, join(sandbox, path))
  }
}

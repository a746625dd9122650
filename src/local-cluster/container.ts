/**
 * What a task's container asks for, on a machine without containers: what the task needs to work is there, or the launch fails and
 * says why; what would only keep it apart from others is left out, and the status that it runs says so.
 */
import { execFile } from 'node:child_process'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'
import { SdkError } from '../errors.js'
import type { ContainerInfo, TaskInfo, Volume } from '../mesos/messages.js'

const run = promisify(execFile)

/** @throws SdkError ERR_CLUSTER, naming what this cluster does not have; the launch fails with it. */
export function checkContainer({ container, command }: TaskInfo): void {
  if (container?.type === 'DOCKER' || container?.docker !== undefined)
    throw new SdkError('ERR_CLUSTER', 'Docker containers are not supported by the local cluster')
  const image = container?.mesos?.image
  if (image !== undefined)
    throw new SdkError(
      'ERR_CLUSTER',
      `Image '${image.docker?.name ?? ''}' needs a container, which the local cluster does not have`,
    )
  const secret = command?.environment?.variables?.find((variable) => variable.type === 'SECRET')
  if (secret !== undefined)
    throw new SdkError('ERR_CLUSTER', `Environment variable '${secret.name}' is a secret, which the local cluster cannot resolve`)
  for (const volume of container?.volumes ?? []) checkVolume(volume)
}

function checkVolume({ container_path: path, source }: Volume): void {
  const docker = source?.docker_volume
  if (docker !== undefined)
    throw new SdkError(
      'ERR_CLUSTER',
      `Volume '${path}' is of driver '${docker.driver ?? ''}', which the local cluster does not have`,
    )
  if (source?.secret !== undefined)
    throw new SdkError('ERR_CLUSTER', `File '${path}' is a secret, which the local cluster cannot resolve`)
}

/** Undefined when all is as asked for. `executor` is the container that the task's lies in. */
export function describeLeftOut(
  { command, limits, container }: TaskInfo,
  executor: ContainerInfo | undefined,
): string | undefined {
  const { seccomp, ipc_mode: ipcMode, shm_size: shmMb } = container?.linux_info ?? {}
  const user = command?.user
  const parts: readonly (readonly [boolean, string])[] = [
    [user !== undefined && user !== userInfo().username, `user ${user ?? ''}`],
    [Object.keys(limits ?? {}).length > 0, 'limits of resources'],
    [seccomp?.profile_name !== undefined, `seccomp profile ${seccomp?.profile_name ?? ''}`],
    [(ipcMode ?? executor?.linux_info?.ipc_mode) === 'PRIVATE', 'a private IPC namespace'],
    [(shmMb ?? executor?.linux_info?.shm_size) !== undefined, 'the size of /dev/shm'],
    [(container?.volumes ?? []).some(({ mode }) => mode === 'RO'), 'read-only mounts'],
  ]
  const leftOut = parts.flatMap(([isAsked, what]) => (isAsked ? [what] : []))
  return leftOut.length === 0 ? undefined : `The local cluster isolates nothing; left out: ${leftOut.join(', ')}`
}

export interface Program {
  readonly file: string
  readonly args: readonly string[]
  readonly argv0?: string
}

/**
 * The program under the POSIX limits that its container asks for.
 * @throws SdkError ERR_CLUSTER where this user may not set them; the launch fails with it.
 */
export async function withRlimits(container: ContainerInfo | undefined, program: Program): Promise<Program> {
  const options = (container?.rlimit_info?.rlimits ?? []).map(
    ({ type = '', soft = 'unlimited', hard = 'unlimited' }) => `--${type.replace(/^RLMT_/, '').toLowerCase()}=${soft}:${hard}`,
  )
  if (options.length === 0) return program
  try {
    await run('prlimit', [...options, '--', 'true'])
  } catch (error) {
    const told = error as { readonly stderr?: string; readonly message: string }
    throw new SdkError('ERR_CLUSTER', `Cannot set the limits of the process: ${told.stderr?.trim() || told.message}`, {
      cause: error,
    })
  }
  return { file: 'prlimit', args: [...options, '--', program.file, ...program.args] }
}

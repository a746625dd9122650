/** The fetcher (`command.uris`): file and http(s), copied into the sandbox, archives extracted by the system's tar and unzip. */
import { execFile } from 'node:child_process'
import { chmod, copyFile, cp, mkdir, stat } from 'node:fs/promises'
import { createWriteStream } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SdkError } from '../errors.js'
import type { CommandUri } from '../mesos/messages.js'

const run = promisify(execFile)
const TAR = /\.(tar|tar\.gz|tgz|tar\.bz2|tbz2|tar\.xz|txz)$/

async function download(url: string, target: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal })
  if (!response.ok || response.body === null)
    throw new SdkError('ERR_CLUSTER', `Failed to fetch '${url}': status ${response.status}`)
  await pipeline(Readable.fromWeb(response.body), createWriteStream(target), { signal })
}

async function copyLocal(path: string, target: string): Promise<void> {
  if ((await stat(path)).isDirectory()) await cp(path, target, { recursive: true })
  else await copyFile(path, target)
}

async function fetchOne(uri: CommandUri, sandbox: string, signal: AbortSignal): Promise<void> {
  const isRemote = /^https?:/.test(uri.value)
  const path = uri.value.startsWith('file:') ? fileURLToPath(uri.value) : uri.value
  const name = uri.output_file ?? basename(isRemote ? new URL(uri.value).pathname : path)
  const target = join(sandbox, name)
  const isArchive = uri.executable !== true && (uri.extract ?? true)
  if (!isRemote && isArchive && TAR.test(name)) return void (await run('tar', ['-xf', path, '-C', sandbox]))
  await mkdir(dirname(target), { recursive: true })
  if (isRemote) await download(uri.value, target, signal)
  else if (path.startsWith('/')) await copyLocal(path, target)
  else throw new SdkError('ERR_CLUSTER', `Unsupported URI '${uri.value}'`)
  if (uri.executable === true) await chmod(target, 0o755)
  if (!isArchive) return
  if (TAR.test(name)) await run('tar', ['-xf', target, '-C', sandbox])
  else if (name.endsWith('.zip')) await run('unzip', ['-q', '-o', target, '-d', sandbox])
}

/** @throws SdkError ERR_CLUSTER, saying which URI failed; the launch fails with it. */
export async function fetchUris(uris: readonly CommandUri[] | undefined, sandbox: string, signal: AbortSignal): Promise<void> {
  for (const uri of uris ?? []) {
    try {
      await fetchOne(uri, sandbox, signal)
    } catch (error) {
      throw new SdkError(
        'ERR_CLUSTER',
        `Failed to fetch '${uri.value}': ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      )
    }
  }
}

/**
 * Java programs for development and tests (ZooKeeper, Kafka, Cassandra) come from Maven Central, by Maven itself, once per
 * machine. A folder of jars is complete or absent: jars are copied beside it and moved in by one rename, with a marker that
 * holds the hash of the pom, so that a run that was killed is never taken for a finished one.
 */
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { SdkError } from '../errors.js'
import { isProcessAlive } from './process-identity.js'

const markerName = '.complete'
/** Enough of Maven's answer to see its first error. */
const outputLimitChars = 20_000

/** Where downloads are kept: the environment's STATEWARD_CACHE, or `.cache/stateward` in the home directory. */
export const defaultCacheDir = (): string => process.env['STATEWARD_CACHE'] ?? path.join(homedir(), '.cache', 'stateward')

export interface MavenCopy {
  /** Path of a small pom.xml whose runtime dependencies are wanted. */
  readonly pom: string
  /** The folder that will hold the jars and nothing else of value: an older content is replaced. */
  readonly into: string
  /** Told one line when a download begins and one when it ended. */
  readonly log: (line: string) => void
}

/**
 * Copies the runtime dependencies of a pom into a folder, unless they are there already.
 * @throws SdkError `ERR_CLUSTER` naming what is missing: Maven, Java, the network or an artifact.
 */
export async function copyMavenDependencies({ pom, into, log }: MavenCopy): Promise<void> {
  const hash = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
  if (await isComplete(into, hash)) return
  await mkdir(path.dirname(into), { recursive: true })
  await removeRemains(into)
  const partial = `${into}.partial-${process.pid}-${randomUUID()}`
  log(`downloading the dependencies of ${pom} with Maven into ${into}`)
  try {
    await runMaven(pom, partial)
    await writeFile(path.join(partial, markerName), hash)
    await moveInto(partial, into, hash)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  log(`downloaded into ${into}`)
}

async function isComplete(folder: string, hash: string): Promise<boolean> {
  const marker = await readFile(path.join(folder, markerName), 'utf8').catch(() => undefined)
  return marker === hash
}

/** Deletes what killed runs left; a run that is alive keeps its folder. */
async function removeRemains(into: string): Promise<void> {
  const prefix = `${path.basename(into)}.partial-`
  for (const name of await readdir(path.dirname(into))) {
    if (name.startsWith(prefix) && !isProcessAlive(Number.parseInt(name.slice(prefix.length), 10))) {
      await rm(path.join(path.dirname(into), name), { recursive: true, force: true })
    }
  }
}

/** Two processes may finish at once: the first rename wins, and the second finds the same content. */
async function moveInto(partial: string, into: string, hash: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(partial, into)
      return
    } catch (error) {
      if (await isComplete(into, hash)) return
      if (attempt === 3) {
        throw new SdkError(
          'ERR_CLUSTER',
          `cannot move the downloaded jars to ${into}: ${(error as Error).message}; delete that folder and try again`,
          {
            cause: error,
          },
        )
      }
      await rm(into, { recursive: true, force: true })
    }
  }
}

async function runMaven(pom: string, into: string): Promise<void> {
  const command = [
    '-q',
    '-B',
    '-f',
    pom,
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${path.resolve(into)}`,
  ]
  const { code, output } = await new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn('mvn', command, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    const keep = (chunk: Buffer): void => {
      if (text.length < outputLimitChars) text += chunk.toString()
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT'
          ? new SdkError(
              'ERR_CLUSTER',
              `cannot copy the dependencies of ${pom}: there is no mvn on the PATH; install Apache Maven 3.8 or newer`,
            )
          : new SdkError('ERR_CLUSTER', `cannot copy the dependencies of ${pom}: mvn did not start (${error.message})`, {
              cause: error,
            }),
      ),
    )
    child.on('close', (exitCode) => resolve({ code: exitCode, output: text }))
  })
  if (code !== 0) throw mavenError(pom, code, output)
}

/** One line out of Maven's page: what is missing and what to do. */
export function mavenError(pom: string, exitCode: number | null, output: string): SdkError {
  const begin = `cannot copy the dependencies of ${pom} with Maven`
  const lines = output.split('\n').map((line) => line.replace(/^\[ERROR\]\s*/, '').trim())
  const first = lines.find((line) => line !== '') ?? `exit code ${exitCode}`
  const says = (pattern: RegExp): boolean => pattern.test(output)
  if (says(/JAVA_HOME|java: (command )?not found|No such file.*java/i)) {
    return new SdkError('ERR_CLUSTER', `${begin}: Maven finds no Java (${first}); install a Java 17 runtime or set JAVA_HOME`)
  }
  if (
    says(
      /Could not transfer|Unknown host|UnknownHostException|Connection (refused|timed out|reset)|Network is unreachable|offline mode/i,
    )
  ) {
    const message = `${begin}: Maven Central cannot be reached (${first}); connect to the network or set a mirror in settings.xml`
    return new SdkError('ERR_CLUSTER', message, { retryable: true })
  }
  if (says(/Could not find artifact|was not found in/i)) {
    return new SdkError('ERR_CLUSTER', `${begin}: an artifact does not exist (${first}); correct the version in that file`)
  }
  return new SdkError('ERR_CLUSTER', `${begin}: ${first}`)
}

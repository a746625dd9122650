/** The ZooKeeper server of the local cluster, and how its jars come to this machine. */
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { copyMavenDependencies } from '../../src/local-cluster/maven.js'
import { processBirth } from '../../src/local-cluster/process-identity.js'
import { startZooKeeper } from '../../src/local-cluster/zookeeper.js'
import { createZooKeeperStore } from '../../src/store/zookeeper-store.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'stateward-local-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(directory, { recursive: true, force: true })
})

describe('a local ZooKeeper server', () => {
  const open = (connect: string) => createZooKeeperStore({ connect }).open({ holder: 'test', lockWaitMs: 60_000 })

  test('keeps port and data over stop, kill and restart', async () => {
    const server = await startZooKeeper({ workDir: directory })
    const { connect, pid } = server
    const first = await open(connect)
    await first.commit([{ key: 'k/a', value: '1' }])
    await first.close()
    await server.stop()
    await server.stop()
    expect(processBirth(pid)).toBeUndefined()
    await server.restart()
    expect(server.connect).toBe(connect)
    expect(server.pid).not.toBe(pid)
    await server.kill()
    await server.restart()
    const second = await open(connect)
    expect(second.records.get('k/a')).toBe('1')
    await second.close()
    await server.stop()
    expect(await readdir(directory)).not.toContain('zookeeper.pid')
  })

  test('takes over from the server that a killed run left', async () => {
    const left = await startZooKeeper({ workDir: directory })
    const server = await startZooKeeper({ workDir: directory })
    await left.exited()
    expect(processBirth(left.pid)).toBeUndefined()
    await server.stop()
  })

  test('a pid file that names somebody else ends nobody', async () => {
    await writeFile(path.join(directory, 'zookeeper.pid'), `${process.pid}\nanother process that had this id\n`)
    const server = await startZooKeeper({ workDir: directory })
    await server.stop()
  })

  test('a stopped (frozen) server can be ended', async () => {
    const server = await startZooKeeper({ workDir: directory })
    process.kill(server.pid, 'SIGSTOP')
    await server.stop()
    expect(processBirth(server.pid)).toBeUndefined()
  })

  test('a port that is taken is named', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(startZooKeeper({ workDir: directory, port })).rejects.toMatchObject({
      code: 'ERR_CLUSTER',
      message: expect.stringMatching(new RegExp(`127.0.0.1:${port} did not start.*Address already in use`)) as string,
    })
    taken.close()
  })
})

describe('jars from Maven Central', () => {
  let lines: string[]
  const into = () => path.join(directory, 'cache', 'jars')
  const copy = async (pom = '<project/>') => {
    await writeFile(path.join(directory, 'pom.xml'), pom)
    await copyMavenDependencies({ pom: path.join(directory, 'pom.xml'), into: into(), log: (line) => lines.push(line) })
  }
  /** Puts a Maven in front of the real one that does what the script says; `$OUT` is where the jars are wanted. */
  const fakeMaven = async (script: string) => {
    const bin = path.join(directory, 'bin')
    await mkdir(bin, { recursive: true })
    const head = 'for argument; do case "$argument" in -DoutputDirectory=*) OUT=$(echo "$argument" | cut -d= -f2);; esac; done'
    await writeFile(path.join(bin, 'mvn'), `#!/bin/sh\n${head}\n${script}\n`)
    await chmod(path.join(bin, 'mvn'), 0o755)
    vi.stubEnv('PATH', `${bin}${path.delimiter}${process.env['PATH'] ?? ''}`)
  }
  beforeEach(() => {
    lines = []
  })

  test('are copied once, and again when the pom changes', async () => {
    await fakeMaven(`mkdir -p "$OUT"; echo run >> ${directory}/runs; cp ${directory}/runs "$OUT/a.jar"`)
    await copy()
    await copy()
    expect(await readFile(path.join(into(), 'a.jar'), 'utf8')).toBe('run\n')
    await copy('<project><!-- newer --></project>')
    expect(await readFile(path.join(into(), 'a.jar'), 'utf8')).toBe('run\nrun\n')
    expect(lines).toHaveLength(4)
  })

  test('a run that was killed halfway is not taken for a finished one, and its remains go', async () => {
    await mkdir(into(), { recursive: true })
    await writeFile(path.join(into(), 'half.jar'), '')
    const gone = 2 ** 22 + 1
    await mkdir(`${into()}.partial-${gone}-x`)
    await fakeMaven('mkdir -p "$OUT"; echo whole > "$OUT/a.jar"')
    await copy()
    expect((await readdir(into())).sort()).toEqual(['.complete', 'a.jar'])
    expect(await readdir(path.dirname(into()))).toEqual(['jars'])
  })

  test('two at once end with one complete folder', async () => {
    await fakeMaven('mkdir -p "$OUT"; echo whole > "$OUT/a.jar"')
    await writeFile(path.join(directory, 'pom.xml'), '<project/>')
    await Promise.all([copy(), copy()])
    expect((await readdir(into())).sort()).toEqual(['.complete', 'a.jar'])
  })

  test.each([
    [
      "echo '[ERROR] Failed to execute goal: Could not transfer artifact a:b from central: Unknown host repo.maven.apache.org'; exit 1",
      /Maven Central cannot be reached/,
    ],
    ["echo 'The JAVA_HOME environment variable is not defined correctly'; exit 1", /finds no Java/],
    ["echo '[ERROR] Could not find artifact a:b:jar:9 in central'; exit 1", /an artifact does not exist.*a:b:jar:9/],
    ['exit 3', /exit code 3/],
  ])('one clear line when Maven says %j', async (script, message) => {
    await fakeMaven(script)
    await expect(copy()).rejects.toMatchObject({ code: 'ERR_CLUSTER', message: expect.stringMatching(message) as string })
    await expect(copy()).rejects.not.toMatchObject({ message: expect.stringContaining('\n') as string })
    expect(await readdir(path.dirname(into()))).toEqual([])
  })

  test('no Maven at all is said so', async () => {
    vi.stubEnv('PATH', path.join(directory, 'nothing'))
    await expect(copy()).rejects.toMatchObject({
      code: 'ERR_CLUSTER',
      message: expect.stringContaining('there is no mvn on the PATH') as string,
    })
  })
})

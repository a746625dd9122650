/** Kafka's jars, from Maven Central, once per machine; and a port nobody uses. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { copyMavenDependencies, defaultCacheDir } from 'stateward/local-cluster'
import { exampleFolder } from './work-folder.js'

/** The folder is named for the pom's version, so that two versions never share one. */
const kafkaVersion = '4.3.1'

/** @returns the folder with the jars */
export async function installKafka(log: (line: string) => void): Promise<string> {
  const into = join(defaultCacheDir(), `kafka-${kafkaVersion}`)
  await copyMavenDependencies({ pom: join(exampleFolder, 'kafka', 'pom.xml'), into, log })
  return into
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

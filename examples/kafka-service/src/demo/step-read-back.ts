/** Reads every record back and checks it: as any consumer would, and once more from the replica that was restarted. */
import { readFile } from 'node:fs/promises'
import { parseProperties } from './broker-files.js'
import { clientOf, type Demo, placeOf, processOf, topic } from './demo.js'
import { say } from './display.js'
import { clientEndpoint, instanceOf, readStatus, type ServiceStatus } from './status.js'
import { readOffsets, type ReadResult, readTopic } from './topic-io.js'

const maxAttempts = 5

export async function readBack(demo: Demo, restarted: string): Promise<void> {
  const client = await clientOf(demo)
  const offsets = await readOffsets(client, topic)
  const total = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
  const all = await readTopic(client, topic)
  report(demo, 'records read and right', total, all)

  const status = await readStatus(demo.httpPort)
  const instance = instanceOf(status, restarted)
  const { host, port } = clientEndpoint(instance)
  const broker = `${host}:${String(port)}`
  const own = await readFrom(demo, await rackOf(status, restarted), broker)
  report(demo, `the same from ${restarted}`, total, own)
  const share = shareOf(own, broker)
  demo.report.check(`bytes that came from ${restarted}`, '100 %', `${share.toFixed(0)} %`)
}

/** A leader that has just taken over may still serve its partition itself, so the reader asks again. */
async function readFrom(demo: Demo, zone: string, broker: string): Promise<ReadResult> {
  for (let attempt = 1; ; attempt++) {
    const result = await readTopic(await clientOf(demo), topic, zone)
    if (shareOf(result, broker) === 100 || attempt === maxAttempts) return result
    say(`only ${shareOf(result, broker).toFixed(0)} % of the bytes came from ${broker}; reading again`)
  }
}

/** The rack that the broker was started with: its agent's zone. Consumers that name it are sent to this broker. */
async function rackOf(status: ServiceStatus, name: string): Promise<string> {
  const { sandbox } = await placeOf(processOf(status, name))
  const rack = parseProperties(await readFile(`${sandbox}/server.properties`, 'utf8'))['broker.rack']
  if (rack === undefined) throw new Error(`${name} has no rack, so no reader can ask for it; its agent needs a zone`)
  return rack
}

function shareOf({ bytesByBroker }: ReadResult, broker: string): number {
  const total = [...bytesByBroker.values()].reduce((sum, bytes) => sum + bytes, 0)
  return total === 0 ? 0 : ((bytesByBroker.get(broker) ?? 0) / total) * 100
}

function report(demo: Demo, what: string, total: number, { check }: ReadResult): void {
  for (const problem of check.problems) say(problem)
  const found = `${String(check.count)}, ${String(check.problems.length)} wrong, ${String(check.repeated)} twice`
  demo.report.check(what, `${String(total)}, 0 wrong, 0 twice`, found)
}

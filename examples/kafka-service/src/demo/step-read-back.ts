/** Reads every record back and checks it: as any consumer would, and once more from the replica that was restarted. */
import { clientOf, type Demo, topic } from './demo.js'
import { say } from './display.js'
import { clientEndpoint, instanceOf, readStatus } from './status.js'
import { readOffsets, type ReadResult, readTopic } from './topic-io.js'

const maxAttempts = 5

export async function readBack(demo: Demo, restarted: string): Promise<void> {
  const client = await clientOf(demo)
  const offsets = await readOffsets(client, topic)
  const total = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
  const all = await readTopic(client, topic)
  report(demo, 'records read and right', total, all)

  const instance = instanceOf(await readStatus(demo.httpPort), restarted)
  const { host, port } = clientEndpoint(instance)
  const broker = `${host}:${String(port)}`
  const own = await readFrom(demo, instance.zone ?? '', broker)
  report(demo, `the same from ${restarted}`, total, own)
  const share = shareOf(own, broker)
  demo.report.check(`bytes that came from ${restarted}`, '100 %', `${share.toFixed(0)} %`)
}

/** The broker's rack is its agent's zone, and brokers send a reader to the replica in the rack it names. A leader that has just taken over may still serve its partition itself, so the reader asks again. */
async function readFrom(demo: Demo, zone: string, broker: string): Promise<ReadResult> {
  for (let attempt = 1; ; attempt++) {
    const result = await readTopic(await clientOf(demo), topic, zone)
    if (shareOf(result, broker) === 100 || attempt === maxAttempts) return result
    say(`only ${shareOf(result, broker).toFixed(0)} % of the bytes came from ${broker}; reading again`)
  }
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

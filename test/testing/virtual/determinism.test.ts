/** A seed is a run. */
import { expect, it } from 'vitest'
import { runService } from './running-service.js'

async function live(seed: number): Promise<string> {
  const { cluster, host } = await runService({ seed })
  cluster.cutAgent(host)
  await cluster.advance(100_000)
  cluster.healAgent(host)
  cluster.stopMaster()
  await cluster.advance(10_000)
  cluster.startMaster()
  cluster.machineDown(host, true)
  await cluster.advance(200_000)
  cluster.machineUp(host)
  cluster.breakStreams()
  await cluster.advance(300_000)
  return JSON.stringify(cluster.log)
}

it('equal seeds give equal logs, byte for byte, and another seed another', async () => {
  const first = await live(1)
  expect(await live(1)).toBe(first)
  expect(await live(2)).not.toBe(first)
})

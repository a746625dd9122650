/** What the statements of part D have in common: operations on the newest offer, and what became of them. */
import { expect } from 'vitest'
import type { Offer } from '../../src/mesos/messages.js'
import { amountsOf, type Bench, type Framework } from './bench.js'
import { create, reserve, reserved, scalar, volume } from './messages.js'

export const diskOf = (offer: Offer): Record<string, number> => amountsOf(offer.resources, 'disk')
export const cpusOf = (offer: Offer): Record<string, number> => amountsOf(offer.resources, 'cpus')

/** Does operations on the newest offer of `agent-1`, and waits for the next one. */
export async function operate(bench: Bench, framework: Framework, ...operations: readonly object[]): Promise<Offer> {
  framework.accept(framework.offer(), operations)
  await bench.advance(2_000)
  return framework.offer()
}

/** Reserved disk and a volume on it. */
export const withVolume = (id: string, sizeMb: number): object[] => [
  reserve(undefined, reserved(scalar('disk', sizeMb))),
  create(undefined, volume(id, sizeMb)),
]

export const state = (framework: Framework, operationId: string): string | undefined =>
  framework.operations(operationId).at(-1)?.state

export function expectError(framework: Framework, operationId: string): void {
  const [status, ...more] = framework.operations(operationId)
  expect(status).toMatchObject({ state: 'OPERATION_ERROR', message: expect.stringMatching(/.+/) })
  expect(status).not.toHaveProperty('uuid')
  expect(more).toEqual([])
}

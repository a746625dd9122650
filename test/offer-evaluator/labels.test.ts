import { expect, test } from 'vitest'
import { podInstanceName, resourceId } from '../../src/ids.js'
import { reservationLabels, resourceLabel } from '../../src/offer-evaluator/labels.js'
import type { Resource } from '../../src/offer-evaluator/resources.js'

const id = resourceId('db-0.1.00000001.task/server/cpus')

function reserved(service: string, role = 'store-role'): Resource {
  const labels = reservationLabels({ service, instance: podInstanceName('db', 0), generation: 1 }, id)
  return { kind: 'scalar', name: 'cpus', amount: 1_000, reservations: [{ type: 'DYNAMIC', role, principal: 'p', labels }] }
}

test('a reservation is ours by role and service, and not by its resource label alone', () => {
  expect(resourceLabel(reserved('store'), 'store-role', 'store')).toBe(id)
  expect(resourceLabel(reserved('other'), 'store-role', 'store')).toBeUndefined()
  expect(resourceLabel(reserved('store', 'other-role'), 'store-role', 'store')).toBeUndefined()
  expect(resourceLabel({ kind: 'scalar', name: 'cpus', amount: 1, reservations: [] }, 'store-role', 'store')).toBeUndefined()
})

import { describe, expect, test } from 'vitest'
import { checkUpdate, principalOf, roleOf } from '../../src/spec/check-update.js'
import { defineService } from '../../src/spec/parse.js'

const task = { command: './run.sh', cpus: 1, memoryMb: 64 }
const build = (db: object = {}, rest: object = {}) =>
  defineService({
    name: 'store',
    pods: { db: { count: 3, volumes: { data: { sizeMb: 64 } }, tasks: { server: task }, ...db } },
    ...rest,
  })
const before = build()
const deployed = () => 2
const nothing = () => -1

describe('changes of a deployed service', () => {
  test.for<[string, ReturnType<typeof build>]>([
    ['nothing', build()],
    ['a command', build({ tasks: { server: { ...task, command: './other.sh' } } })],
    ['more instances', build({ count: 5 })],
    ['placement', build({ placement: [{ type: 'maxPerHost', max: 1 }] })],
    ['another pod type', build({}, { pods: { ...before.pods, web: { count: 1, tasks: { server: task } } } })],
    ['the principal written out', build({}, { principal: 'store-principal' })],
  ])('%s may be done', ([, after]) => {
    expect(checkUpdate(before, after, deployed)).toEqual([])
  })

  test.for<[string, ReturnType<typeof build>, RegExp]>([
    ['the user', build({}, { user: 'nobody' }), /^user: cannot change from root to nobody/],
    ['the principal', build({}, { principal: 'other' }), /^principal: cannot change from store-principal to other/],
    ['fewer instances', build({ count: 2 }), /^pods\.db\.count: cannot shrink to 2 while db-2 .*keep 3$/],
    [
      'a pod type less',
      build({}, { pods: { web: { count: 1, tasks: { server: task } } } }),
      /^pods\.db: cannot be removed while db-2/,
    ],
    ['cpus', build({ tasks: { server: { ...task, cpus: 2 } } }), /^pods\.db: cpus, memory/],
    ['a volume', build({ volumes: { data: { sizeMb: 128 } } }), /^pods\.db: cpus, memory/],
    ['another task', build({ tasks: { server: task, other: task } }), /^pods\.db: cpus, memory/],
    ['the executor', build({ executor: { memoryMb: 64 } }), /^pods\.db: cpus, memory/],
  ])('%s is refused, and says why', ([, after, reason]) => {
    const reasons = checkUpdate(before, after, deployed)
    expect(reasons).toHaveLength(1)
    expect(reasons[0]).toMatch(reason)
  })

  test('all reasons are told at once', () => {
    expect(checkUpdate(before, build({ count: 1 }, { user: 'nobody', principal: 'other' }), deployed)).toHaveLength(3)
  })

  test('what holds no resources yet may change in any way, but for who it belongs to', () => {
    expect(checkUpdate(before, build({ count: 1, tasks: { other: task } }), nothing)).toEqual([])
    expect(checkUpdate(before, build({}, { user: 'nobody' }), nothing)).toHaveLength(1)
  })

  test('role and principal follow from the name', () => {
    expect([roleOf(before), principalOf(before)]).toEqual(['store-role', 'store-principal'])
  })
})

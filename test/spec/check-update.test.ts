import { describe, expect, test } from 'vitest'
import { checkUpdate, isNotYet, principalOf, refusalText, roleOf, type RefusalCode } from '../../src/spec/check-update.js'
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
const codesAndPaths = (from: ReturnType<typeof build>, to: ReturnType<typeof build>) =>
  checkUpdate(from, to, deployed).map(({ code, path }) => `${code} ${path}`)

const init = { ...task, goal: 'INIT' }
const disk = { driver: 'pxd', mode: 'RW', path: 'disk' }
const certs = { hostPath: '/etc/certs', path: 'certs' }

describe('changes of a deployed service', () => {
  test.for<[string, object, object]>([
    ['nothing', {}, {}],
    ['a command', {}, { tasks: { server: { ...task, command: './other.sh' } } }],
    ['more instances', {}, { count: 5 }],
    ['placement', {}, { placement: [{ type: 'maxPerHost', max: 1 }] }],
    ['another pod type', {}, {}],
    ['profiles of a disk written out', {}, { volumes: { data: { sizeMb: 64, type: 'ROOT' } } }],
    ['the user of a pod that keeps no data', { volumes: {} }, { volumes: {}, user: 'nobody' }],
    ['the user of a pod, written out', {}, { user: 'root' }],
    ['what an INIT task does', { tasks: { server: task, init } }, { tasks: { server: task, init: { ...init, command: 'x' } } }],
    [
      'the place of a volume that is only read',
      { hostVolumes: { certs: { ...certs, mode: 'RO' } } },
      { hostVolumes: { certs: { ...certs, hostPath: '/other', mode: 'RO' } } },
    ],
    ['an external volume less', { externalVolumes: { disk } }, {}],
    [
      'the name of an external volume written out',
      { externalVolumes: { disk } },
      { externalVolumes: { disk: { ...disk, name: 'store_db' } } },
    ],
    ['the path of a volume, written out', {}, { volumes: { data: { sizeMb: 64, path: 'data' } } }],
    ['a network that maps ports', {}, { networks: { 'mesos-bridge': {} } }],
  ])('%s may be done', ([, from, to]) => {
    expect(checkUpdate(build(from), build(to), deployed)).toEqual([])
  })

  test('what the service is called and belongs to may be written out, and pod types added', () => {
    const after = build(
      {},
      { principal: 'store-principal', role: 'store-role', pods: { ...before.pods, web: { count: 1, tasks: { server: task } } } },
    )
    expect(checkUpdate(before, after, deployed)).toEqual([])
  })

  test.for<[string, object, RefusalCode, string]>([
    ['the name', { name: 'shop', principal: 'store-principal', role: 'store-role' }, 'NAME_CHANGED', 'name'],
    ['the user', { user: 'nobody' }, 'USER_CHANGED', 'user'],
    ['the principal', { principal: 'other' }, 'PRINCIPAL_CHANGED', 'principal'],
    ['the role', { role: 'other' }, 'ROLE_CHANGED', 'role'],
    ['the region', { region: 'north' }, 'REGION_CHANGED', 'region'],
    ['a pod type less', { pods: { web: { count: 1, tasks: { server: task } } } }, 'POD_REMOVED', 'pods.db'],
  ])('%s is refused', ([, rest, code, path]) => {
    expect(codesAndPaths(before, build({}, rest))).toEqual([`${code} ${path}`])
  })

  test.for<[string, object, object, readonly string[]]>([
    ['fewer instances', {}, { count: 2 }, ['COUNT_LOWERED pods.db.count']],
    ['the user of a pod', {}, { user: 'nobody' }, ['USER_CHANGED pods.db.user']],
    [
      'the user of a pod that writes to the agent',
      { volumes: {}, hostVolumes: { certs } },
      { volumes: {}, hostVolumes: { certs }, user: 'nobody' },
      ['USER_CHANGED pods.db.user'],
    ],
    ['the role of what is reserved', {}, { preReservedRole: 'fast' }, ['RESERVED_ROLE_CHANGED pods.db.preReservedRole']],
    ['addresses of its own', {}, { networks: { dcos: {} } }, ['NETWORK_CHANGED pods.db.networks']],
    ['ports of the agent', { networks: { dcos: {} } }, {}, ['NETWORK_CHANGED pods.db.networks']],
    ['a volume less', {}, { volumes: {} }, ['VOLUME_REMOVED pods.db.volumes.data']],
    [
      'a volume of a task less',
      { tasks: { server: { ...task, volumes: { log: { sizeMb: 1 } } } } },
      {},
      ['VOLUME_REMOVED pods.db.tasks.server.volumes.log'],
    ],
    [
      'a volume of a resource set less',
      {
        tasks: { server: { command: 'x', resourceSet: 's' } },
        resourceSets: { s: { cpus: 1, memoryMb: 64, volumes: { log: { sizeMb: 1 } } } },
      },
      { tasks: { server: { command: 'x', resourceSet: 's' } }, resourceSets: { s: { cpus: 1, memoryMb: 64 } } },
      ['VOLUME_REMOVED pods.db.resourceSets.s.volumes.log'],
    ],
    ['a smaller volume', {}, { volumes: { data: { sizeMb: 32 } } }, ['VOLUME_SHRUNK pods.db.volumes.data']],
    [
      'another kind of volume',
      {},
      { volumes: { data: { sizeMb: 64, type: 'MOUNT' } } },
      ['VOLUME_TYPE_CHANGED pods.db.volumes.data'],
    ],
    [
      'another place on the agent',
      { hostVolumes: { certs } },
      { hostVolumes: { certs: { ...certs, hostPath: '/other' } } },
      ['DATA_LEFT_BEHIND pods.db.hostVolumes.certs'],
    ],
    [
      'another place on the agent, under another name',
      { hostVolumes: { certs } },
      { hostVolumes: { keys: { ...certs, hostPath: '/other' } } },
      ['DATA_LEFT_BEHIND pods.db.hostVolumes.keys'],
    ],
    [
      'two places exchanged',
      { hostVolumes: { certs, other: { hostPath: '/other', path: 'other' } } },
      { hostVolumes: { certs: { ...certs, path: 'other' }, other: { hostPath: '/other', path: certs.path } } },
      ['DATA_LEFT_BEHIND pods.db.hostVolumes.other', 'DATA_LEFT_BEHIND pods.db.hostVolumes.certs'],
    ],
    [
      'a volume outside in the place of one on the agent',
      { hostVolumes: { certs } },
      { externalVolumes: { disk: { ...disk, path: certs.path } } },
      ['DATA_LEFT_BEHIND pods.db.externalVolumes.disk'],
    ],
    [
      'what initialised as a task that runs again',
      { tasks: { server: task, init } },
      { tasks: { server: task, init: { ...init, goal: 'FINISH' } } },
      ['INIT_CHANGED pods.db.tasks.init.goal'],
    ],
    [
      'another volume outside',
      { externalVolumes: { disk } },
      { externalVolumes: { disk: { ...disk, driver: 'rexray', name: 'other', shared: true } } },
      ['DATA_LEFT_BEHIND pods.db.externalVolumes.disk'],
    ],
    [
      'an INIT task more',
      {},
      { tasks: { server: task, init } },
      ['INIT_ADDED pods.db.tasks.init.goal', 'FOOTPRINT_UNSUPPORTED pods.db'],
    ],
    ['cpus', {}, { tasks: { server: { ...task, cpus: 2 } } }, ['FOOTPRINT_UNSUPPORTED pods.db']],
    ['a larger volume', {}, { volumes: { data: { sizeMb: 128 } } }, ['FOOTPRINT_UNSUPPORTED pods.db']],
    ['another task', {}, { tasks: { server: task, other: task } }, ['FOOTPRINT_UNSUPPORTED pods.db']],
    ['the executor', {}, { executor: { memoryMb: 64 } }, ['FOOTPRINT_UNSUPPORTED pods.db']],
    ['the path of a volume', {}, { volumes: { data: { sizeMb: 64, path: 'other' } } }, ['FOOTPRINT_UNSUPPORTED pods.db']],
    [
      'the name of a resource set',
      { tasks: { server: { command: 'x', resourceSet: 's' } }, resourceSets: { s: { cpus: 1, memoryMb: 64 } } },
      { tasks: { server: { command: 'x', resourceSet: 't' } }, resourceSets: { t: { cpus: 1, memoryMb: 64 } } },
      ['FOOTPRINT_UNSUPPORTED pods.db'],
    ],
    [
      'fewer instances, allowed',
      { allowDecommission: true },
      { allowDecommission: true, count: 1 },
      ['DECOMMISSION_UNSUPPORTED pods.db.count'],
    ],
  ])('%s: refused, and says why and what to do', ([, from, to, expected]) => {
    expect(codesAndPaths(build(from), build(to))).toEqual(expected)
    for (const { reason, wayOut } of checkUpdate(build(from), build(to), deployed)) {
      expect(reason).toMatch(/^(cannot|would never)|changed/)
      expect(wayOut).toMatch(/keep|stay|leave|restore|give it|add /)
    }
  })

  test('all reasons are told at once', () => {
    expect(codesAndPaths(before, build({ count: 1, volumes: {} }, { user: 'nobody', principal: 'other' }))).toHaveLength(4)
  })

  test('what a later version may do is told apart', () => {
    const refusals = checkUpdate(before, build({ count: 1, executor: { memoryMb: 64 } }), deployed)
    expect(refusals.map(isNotYet)).toEqual([false, true])
  })

  test('on one line: where, what would happen, what to do', () => {
    expect(checkUpdate(before, build({ count: 2 }), deployed).map(refusalText)).toEqual([
      'pods.db.count: cannot shrink to 2 while db-2 has reserved resources; keep 3; a version that can give up instances will want allowDecommission: true',
    ])
  })

  test('what holds no resources yet may change in any way, but for who it belongs to', () => {
    const after = build({ count: 1, tasks: { other: task }, networks: { dcos: {} } }, { region: 'north' })
    expect(checkUpdate(before, after, nothing)).toEqual([])
    expect(checkUpdate(before, build({}, { user: 'nobody' }), nothing)).toHaveLength(1)
  })

  test('role and principal follow from the name', () => {
    expect([roleOf(before), principalOf(before)]).toEqual(['store-role', 'store-principal'])
  })
})

import { expect, test } from 'vitest'
import { buildApp } from '../../src/http/server.js'
import type { Leadership, ServiceApi } from '../../src/ports/service-api.js'
import type { OperatorCommand } from '../../src/scheduler/events.js'
import type { InstanceView, PlanView, ServiceStatus } from '../../src/scheduler/report.js'

const plan = (change: Partial<PlanView> = {}): PlanView => ({
  name: 'update',
  status: 'IN_PROGRESS',
  paused: false,
  phases: [],
  ...change,
})

const instance = (change: Partial<InstanceView> = {}): InstanceView => ({
  name: 'db-0',
  pod: 'db',
  index: 0,
  owner: 'none',
  targetId: '1:a',
  deployed: true,
  ready: true,
  paused: false,
  generation: 1,
  ports: {},
  volumes: [],
  tasks: [],
  ...change,
})

function apiOver(
  change: Partial<ServiceStatus> | undefined,
  role: Leadership['role'] = change === undefined ? 'opening' : 'leader',
): ServiceApi & { commands: OperatorCommand[] } {
  const commands: OperatorCommand[] = []
  const base: ServiceStatus = {
    service: 'store',
    targetId: '1:a',
    connected: true,
    values: {},
    plans: [plan()],
    instances: [instance()],
    unknownTasks: [],
  }
  const status = change === undefined ? undefined : { ...base, ...change }
  const leadership = (): Leadership => ({ role, sinceMs: 0, ...(role === 'standby' ? { leader: 'host1 pid 4711' } : {}) })
  const history = (name: string) => (name === 'db-0' ? { name, tasks: [] } : undefined)
  return {
    commands,
    leadership,
    history,
    status: () => status,
    command: (command) => Promise.resolve(void commands.push(command)),
  }
}

const post = async (api: ServiceApi, url: string) => {
  const response = await buildApp(api).inject({ method: 'POST', url })
  return { code: response.statusCode, body: response.json<{ error?: string; message?: string }>() }
}

test('pausing and resuming a plan are commands to the core', async () => {
  const api = apiOver({})
  expect((await post(api, '/v1/plans/update/pause')).code).toBe(200)
  expect((await post(api, '/v1/plans/update/resume')).code).toBe(200)
  expect(api.commands).toEqual([
    { type: 'pausePlan', plan: 'update' },
    { type: 'resumePlan', plan: 'update' },
  ])
})

test('pausing and resuming a pod are commands to the core, also while recovery has it in hand', async () => {
  const api = apiOver({ instances: [instance({ owner: 'recovery' })] })
  expect((await post(api, '/v1/pods/db-0/pause')).code).toBe(202)
  expect((await post(api, '/v1/pods/db-0/resume')).code).toBe(202)
  expect(api.commands).toEqual([
    { type: 'pausePod', instance: 'db-0' },
    { type: 'resumePod', instance: 'db-0' },
  ])
})

test('the history of a pod is there for pods that exist', async () => {
  const app = buildApp(apiOver({}))
  expect((await app.inject({ method: 'GET', url: '/v1/pods/db-0/history' })).json()).toEqual({ name: 'db-0', tasks: [] })
  expect((await app.inject({ method: 'GET', url: '/v1/pods/db-7/history' })).statusCode).toBe(404)
})

test.each([
  ['/v1/plans/backup/pause', {}, 404, 'there is no plan backup; there are: update'],
  ['/v1/plans/update/pause', { plans: [plan({ status: 'COMPLETE' })] }, 409, 'there is nothing to pause'],
  ['/v1/plans/recovery/pause', { plans: [plan({ name: 'recovery' })] }, 409, 'recovery is never paused'],
  ['/v1/pods/db-7/restart', {}, 404, 'there is no pod db-7; there are: db-0'],
  ['/v1/pods/db-0/restart', { instances: [instance({ owner: 'update' })] }, 409, 'worked on by plan update'],
  ['/v1/pods/db-0/restart', { instances: [instance({ deployed: false })] }, 409, 'has not been deployed yet'],
  ['/v1/pods/db-0/pause', { instances: [instance({ deployed: false })] }, 409, 'there is nothing to pause'],
  ['/v1/nothing', {}, 404, 'there is no POST /v1/nothing'],
] as const)('%s answers what is wrong and does nothing', async (url, change, code, message) => {
  const api = apiOver(change)
  const answer = await post(api, url)
  expect(answer.code).toBe(code)
  expect(answer.body.message).toContain(message)
  expect(api.commands).toEqual([])
})

test('a scheduler that does not lead says so', async () => {
  const app = buildApp(apiOver(undefined))
  expect((await app.inject('/v1/status')).statusCode).toBe(503)
  expect((await app.inject('/v1/health')).json()).toEqual({ leading: false, connected: false, role: 'opening' })
  expect((await post(apiOver(undefined), '/v1/plans/update/pause')).body.error).toBe('NOT_LEADING')
})

test('one that stands by names the leader wherever it is asked, and takes no command', async () => {
  const api = apiOver(undefined, 'standby')
  const answer = {
    error: 'NOT_LEADING',
    message: expect.stringMatching(/standing by since 1970-.*; host1 pid 4711 leads/) as string,
  }
  for (const url of ['/v1/status', '/v1/plans']) {
    const response = await buildApp(api).inject(url)
    expect([response.statusCode, response.json()]).toEqual([503, answer])
  }
  expect(await post(api, '/v1/pods/db-0/restart')).toEqual({ code: 503, body: answer })
  expect(api.commands).toEqual([])
})

test.each(['leader', 'standby', 'opening'] as const)('one in the role of %s answers who leads with 200', async (role) => {
  const response = await buildApp(apiOver(role === 'leader' ? {} : undefined, role)).inject('/v1/leadership')
  expect(response.statusCode).toBe(200)
  expect(response.json()).toMatchObject({ role, sinceMs: 0 })
})

test('health is bad while the master is away', async () => {
  expect((await buildApp(apiOver({ connected: false })).inject('/v1/health')).statusCode).toBe(503)
  expect((await buildApp(apiOver({})).inject('/v1/health')).statusCode).toBe(200)
})

test('a web page of another site cannot operate the service', async () => {
  const api = apiOver({})
  const ask = (origin: string) =>
    buildApp(api).inject({ method: 'POST', url: '/v1/plans/update/pause', headers: { host: '127.0.0.1:8080', origin } })
  expect((await ask('http://example.net')).statusCode).toBe(403)
  expect(api.commands).toEqual([])
  expect((await ask('http://127.0.0.1:8080')).statusCode).toBe(200)
})

test.each([
  ['application/x-www-form-urlencoded', 'a=b', 415],
  ['application/json', '{', 400],
])('a body that is %s %s is the fault of the request', async (type, payload, code) => {
  const url = '/v1/plans/update/pause'
  const response = await buildApp(apiOver({})).inject({ method: 'POST', url, payload, headers: { 'content-type': type } })
  expect(response.statusCode).toBe(code)
  expect(response.json<{ error: string }>().error).toBe('BAD_REQUEST')
})

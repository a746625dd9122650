/**
 * The operator's HTTP API. Handlers only translate: a request becomes a question about the state or a command for the core.
 * `buildApp` listens nowhere, so tests inject requests.
 */
import fastify, { type FastifyInstance } from 'fastify'
import { z } from 'zod'
import { isSdkError, SdkError } from '../errors.js'
import type { PodInstanceName } from '../ids.js'
import type { ServiceApi } from '../ports/service-api.js'
import type { PlanView, ServiceStatus } from '../scheduler/report.js'

/** Bodies are small commands; nothing larger is read. */
const maxBodyBytes = 65_536

const planParams = z.strictObject({ plan: z.string() })
const podParams = z.strictObject({ name: z.string() })

/** What a refused request is told. */
interface Problem {
  readonly error: string
  readonly message: string
}

const problem = (error: string, message: string): Problem => ({ error, message })

export function buildApp(api: ServiceApi): FastifyInstance {
  const app = fastify({ bodyLimit: maxBodyBytes, forceCloseConnections: true })
  app.get('/v1/health', (_request, reply) => {
    const status = api.status()
    const { role } = api.leadership()
    return reply
      .code(status?.connected === true ? 200 : 503)
      .send({ leading: status !== undefined, connected: status?.connected ?? false, role })
  })
  // Answered by every scheduler, so that whoever watches one that stands by does not take it for a broken one.
  app.get('/v1/leadership', (_request, reply) => reply.send(api.leadership()))
  app.get('/v1/status', (_request, reply) => {
    const status = api.status()
    return status === undefined ? reply.code(503).send(notLeading(api)) : reply.send(status)
  })
  app.get('/v1/plans', (_request, reply) => {
    const status = api.status()
    return status === undefined ? reply.code(503).send(notLeading(api)) : reply.send(status.plans)
  })
  app.post('/v1/plans/:plan/pause', (request, reply) =>
    changePlan(api, planParams.parse(request.params).plan, true, (code, body) => reply.code(code).send(body)),
  )
  app.post('/v1/plans/:plan/resume', (request, reply) =>
    changePlan(api, planParams.parse(request.params).plan, false, (code, body) => reply.code(code).send(body)),
  )
  app.get('/v1/pods/:name/history', (request, reply) => {
    const { name } = podParams.parse(request.params)
    const status = api.status()
    if (status === undefined) return reply.code(503).send(notLeading(api))
    const history = api.history(name)
    return history === undefined ? reply.code(404).send(noSuchPod(status, name)) : reply.send(history)
  })
  for (const [word, type] of [
    ['restart', 'restartPod'],
    ['pause', 'pausePod'],
    ['resume', 'resumePod'],
  ] as const)
    app.post(`/v1/pods/:name/${word}`, (request, reply) =>
      commandPod(api, type, podParams.parse(request.params).name, (code, body) => reply.code(code).send(body)),
    )
  app.addHook('onRequest', async (request, reply) => {
    if (isForeign(request.method, request.headers)) {
      await reply.code(403).send(problem('FOREIGN_ORIGIN', 'a web page of another site must not operate this service'))
    }
  })
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(problem('NOT_FOUND', `there is no ${request.method} ${request.url}`)),
  )
  app.setErrorHandler((error, _request, reply) => {
    const retryable = isSdkError(error) && error.retryable
    const message = error instanceof Error ? error.message : String(error)
    if (isSdkError(error)) return reply.code(retryable ? 503 : 500).send(problem(error.code, message))
    const asked = clientFault(error)
    return reply.code(asked ?? 500).send(problem(asked === undefined ? 'INTERNAL' : 'BAD_REQUEST', message))
  })
  return app
}

/** A browser names the site of the page that asks; only pages of this very address may change anything. */
function isForeign(
  method: string,
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
): boolean {
  return method !== 'GET' && origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`
}

/** The status of a request that could not be read, such as an unknown content type. */
function clientFault(error: unknown): number | undefined {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined
}

function notLeading(api: ServiceApi): Problem {
  const { role, leader, sinceMs } = api.leadership()
  if (role !== 'standby')
    return problem('NOT_LEADING', 'this scheduler does not lead yet: it opens the store or loads its state; ask again')
  const since = new Date(sinceMs).toISOString()
  return problem('NOT_LEADING', `this scheduler has been standing by since ${since}; ${leader} leads, ask that one`)
}

type Answer = (code: number, body: unknown) => unknown

/** Pausing twice is no error: the answer is the plan as it is now. */
async function changePlan(api: ServiceApi, name: string, pause: boolean, answer: Answer): Promise<unknown> {
  const status = api.status()
  if (status === undefined) return answer(503, notLeading(api))
  const plan = findPlan(status, name)
  if (plan === undefined) {
    return answer(
      404,
      problem('NO_SUCH_PLAN', `there is no plan ${name}; there are: ${status.plans.map((each) => each.name).join(', ')}`),
    )
  }
  if (plan.name === 'recovery') return answer(409, problem('CANNOT_PAUSE', 'recovery is never paused; pause the update instead'))
  if (plan.status === 'COMPLETE')
    return answer(409, problem('PLAN_COMPLETE', `plan ${name} is complete; there is nothing to ${pause ? 'pause' : 'resume'}`))
  await api.command({ type: pause ? 'pausePlan' : 'resumePlan', plan: name })
  return answer(200, findPlan(api.status() ?? status, name))
}

const findPlan = (status: ServiceStatus, name: string): PlanView | undefined => status.plans.find((plan) => plan.name === name)

const noSuchPod = (status: ServiceStatus, name: string): Problem =>
  problem('NO_SUCH_POD', `there is no pod ${name}; there are: ${status.instances.map((each) => each.name).join(', ')}`)

/** Pausing what is paused, and resuming what is not, is no error. */
async function commandPod(
  api: ServiceApi,
  type: 'restartPod' | 'pausePod' | 'resumePod',
  name: string,
  answer: Answer,
): Promise<unknown> {
  const status = api.status()
  if (status === undefined) return answer(503, notLeading(api))
  const instance = status.instances.find((each) => each.name === name)
  if (instance === undefined) return answer(404, noSuchPod(status, name))
  if (!instance.deployed)
    return answer(409, problem('NOT_DEPLOYED', `pod ${name} has not been deployed yet; there is nothing to ${type.slice(0, -3)}`))
  // What recovery cannot bring back is paused to be repaired.
  if (type === 'restartPod' && instance.owner !== 'none') {
    return answer(409, problem('POD_BUSY', `pod ${name} is being worked on by plan ${instance.owner}; wait until that is done`))
  }
  await api.command({ type, instance: name as PodInstanceName })
  return answer(202, { name })
}

export interface HttpServer {
  /** For example `http://127.0.0.1:8080`. */
  readonly url: string
  close(): Promise<void>
}

/** @throws SdkError `ERR_INVALID_OPTION` when the address cannot be listened on. */
export async function startHttpServer(
  api: ServiceApi,
  options: { readonly host: string; readonly port: number },
): Promise<HttpServer> {
  const app = buildApp(api)
  try {
    const url = await app.listen({ host: options.host, port: options.port })
    return { url, close: () => app.close() }
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new SdkError(
      'ERR_INVALID_OPTION',
      `cannot serve the HTTP API on ${options.host}:${options.port}: ${found}; free the port or choose another`,
      { cause },
    )
  }
}

/** HTTP calls to a running scheduler. */
import { request } from 'undici'
import { SdkError, type PlanView, type PodHistory, type ServiceStatus } from '../index.js'

const timeoutMs = 10_000

export const defaultUrl = 'http://127.0.0.1:8080'

async function call(url: string, method: 'GET' | 'POST', path: string): Promise<unknown> {
  const target = new URL(path, url).href
  let response
  try {
    response = await request(target, { method, headersTimeout: timeoutMs, bodyTimeout: timeoutMs })
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new SdkError(
      'ERR_SCHEDULER_UNREACHABLE',
      `cannot reach a scheduler at ${url}: ${found}; is it running, and is --url right?`,
      { cause, retryable: true },
    )
  }
  const text = await response.body.text()
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw new SdkError(
      'ERR_PROTOCOL',
      `${target} answered ${response.statusCode} with something that is not JSON; is --url a scheduler's address?`,
      { cause },
    )
  }
  if (response.statusCode < 300) return body
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : text
  if (typeof body === 'object' && body !== null && 'error' in body && body.error === 'NOT_LEADING')
    throw new SdkError('ERR_NOT_LEADING', message, { retryable: true })
  throw new SdkError('ERR_PROTOCOL', `${method} ${target} answered ${response.statusCode}: ${message}`)
}

export const getStatus = async (url: string): Promise<ServiceStatus> => (await call(url, 'GET', '/v1/status')) as ServiceStatus
export const changePlan = async (url: string, plan: string, change: 'pause' | 'resume'): Promise<PlanView> =>
  (await call(url, 'POST', `/v1/plans/${encodeURIComponent(plan)}/${change}`)) as PlanView
export const commandPod = (url: string, pod: string, command: 'restart' | 'pause' | 'resume'): Promise<unknown> =>
  call(url, 'POST', `/v1/pods/${encodeURIComponent(pod)}/${command}`)
export const getHistory = async (url: string, pod: string): Promise<PodHistory> =>
  (await call(url, 'GET', `/v1/pods/${encodeURIComponent(pod)}/history`)) as PodHistory

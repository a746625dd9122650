/** Check order and JSON rules of the HTTP front: statements A1 to A17 of the Mesos v1 reference. */
import { describe, expect, it } from 'vitest'
import { checkSchedulerRequest } from '../../src/mesos-model/request.js'
import { isBase64Uuid, uuidToBase64 } from '../../src/mesos-model/task-status.js'

const JSON_HEADERS = { 'content-type': 'application/json' }

const check = (body: unknown, headers: Record<string, string> = JSON_HEADERS, method = 'POST') =>
  checkSchedulerRequest({
    method,
    path: '/api/v1/scheduler',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    streamId: 's',
  })

const statusOf = (checked: ReturnType<typeof check>): number | undefined => (checked.ok ? undefined : checked.response.status)

describe('requests', () => {
  it.each([
    ['GET', check('', JSON_HEADERS, 'GET'), 405],
    ['no content type', check({}, {}), 400],
    ['a charset parameter', check({}, { 'content-type': 'application/json; charset=utf-8' }), 415],
    ['no JSON', check('{'), 400],
    ['a missing required field', check({ type: 'SUBSCRIBE', subscribe: { framework_info: { name: 'x' } } }), 400],
    ['an unknown type', check({ type: 'NOPE', framework_id: { value: 'x' } }), 400],
    [
      'a stream id on SUBSCRIBE',
      check(
        { type: 'SUBSCRIBE', subscribe: { framework_info: { name: 'x', user: 'u' } } },
        { ...JSON_HEADERS, 'mesos-stream-id': 'x' },
      ),
      400,
    ],
    [
      'an Accept of recordio',
      check(
        { type: 'SUBSCRIBE', subscribe: { framework_info: { name: 'x', user: 'u' } } },
        { ...JSON_HEADERS, accept: 'application/recordio' },
      ),
      406,
    ],
  ])('refuses %s', (_name, checked, status) => {
    expect(statusOf(checked)).toBe(status)
  })

  it('takes integers as strings, a single value for a list, and drops unknown fields and capability names', () => {
    const checked = check({
      type: 'SUBSCRIBE',
      zork: 1,
      subscribe: {
        framework_info: {
          name: 'x',
          user: 'u',
          roles: 'web',
          failover_timeout: '10',
          checkpoint: 'true',
          capabilities: [{ type: 'NOPE' }],
        },
      },
    })
    expect(checked).toEqual({
      ok: true,
      call: {
        type: 'SUBSCRIBE',
        subscribe: {
          framework_info: { capabilities: [{}], checkpoint: true, failover_timeout: 10, name: 'x', roles: ['web'], user: 'u' },
        },
      },
    })
  })

  it('knows the uuid of a status from any other 16 bytes', () => {
    const text = uuidToBase64('a52bdb7e-8c27-4ac7-ba00-41d6a750f6e6')
    expect(text).toBe(Buffer.from('a52bdb7e8c274ac7ba0041d6a750f6e6', 'hex').toString('base64'))
    expect(isBase64Uuid(text)).toBe(true)
    expect(isBase64Uuid(text.replaceAll('=', ''))).toBe(true)
    for (const bytes of [Buffer.alloc(16), Buffer.alloc(16, 255), Buffer.alloc(3)])
      expect(isBase64Uuid(bytes.toString('base64'))).toBe(false)
  })
})

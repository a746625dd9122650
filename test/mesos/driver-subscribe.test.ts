/** How the driver finds the leader, subscribes, and comes back: statements A2, A19-A21, B1-B21 of the conformance list. */
import { describe, expect, test } from 'vitest'
import { SdkError } from '../../src/errors.js'
import { frameworkId } from '../../src/ids.js'
import { createMesosDriver } from '../../src/mesos/driver.js'
import { drive, frameworkInfo, scriptedMaster, until } from './support/driven.js'
import { answerAll, frame, subscribedRecord } from './support/scripted-master.js'
import { eventsOf, readTranscript } from './support/transcripts.js'

describe('subscribing', () => {
  test('asks before it subscribes, sends exactly the headers of the API, and reports the stream', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    expect(driven.prepared()).toBe(1)
    expect(driven.events).toEqual([{ type: 'subscribed', streamId: 'stream-1', frameworkId: 'framework-0000', atMs: 1_000 }])
    const [request] = master.subscribes()
    expect(request).toMatchObject({ method: 'POST', path: '/api/v1/scheduler' })
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json', accept: 'application/json' })
    expect(request?.headers).not.toHaveProperty('mesos-stream-id')
    expect(request?.headers).not.toHaveProperty('accept-encoding')
    expect(request?.body).not.toHaveProperty('framework_id')
  })

  test('plays a recorded conversation: the events arrive in the order of the stream', async () => {
    const name = '03_reserve_create_launch_group.jsonl'
    const bodies = readTranscript(name)
      .filter(({ dir, who }) => dir === '<event' && who === 'A')
      .map(({ body }) => body)
    const master = await scriptedMaster((request) => void request.stream({ records: bodies }))
    const driven = drive({ masters: master.url })
    const expected = eventsOf(name, 'A').filter(({ type }) => type !== 'HEARTBEAT')
    await until(() => driven.events.length >= expected.length)
    const names: Record<string, string> = {
      SUBSCRIBED: 'subscribed',
      OFFERS: 'offersReceived',
      UPDATE: 'taskStatusReceived',
      UPDATE_OPERATION_STATUS: 'operationStatusReceived',
      RESCIND: 'offerRescinded',
    }
    expect(driven.events.map(({ type }) => type)).toEqual(expected.map(({ type }) => names[type] ?? type))
    expect(driven.ofType('subscribed')[0]?.frameworkId).toBe(bodies[0].subscribed.framework_id.value)
  })

  test('follows the redirect of a standby to exactly the address it names, with the same body (B1)', async () => {
    const leader = await scriptedMaster()
    const location = `${leader.url.slice('http:'.length)}/master/api/v1/scheduler`
    const standby = await scriptedMaster((request) => request.status(307, '', { Location: location }))
    const driven = drive({ masters: standby.url })
    const stream = await driven.subscribed()
    expect(leader.subscribes()[0]).toMatchObject({ path: '/master/api/v1/scheduler', body: standby.requests[0]?.body })
    expect(driven.prepared()).toBe(2)
    await driven.send(stream, { type: 'revive' })
    expect(leader.calls('REVIVE')[0]?.path).toBe('/master/api/v1/scheduler')
    expect(standby.calls()).toEqual([])
    // After an interruption the last leader comes first: the standby is asked no second time.
    leader.feeds[0]?.end()
    await driven.subscribed(2)
    expect(standby.requests).toHaveLength(1)
  })

  test('gives up a circle of redirects and tries again later', async () => {
    const master = await scriptedMaster()
    let hops = 0
    master.answer((request) => {
      hops += 1
      if (hops <= 6) request.status(307, '', { Location: `${master.url.slice(5)}/api/v1/scheduler` })
      else answerAll(request)
    })
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    expect(driven.troubles[0]?.message).toContain('redirects')
  })

  test('waits out 503 and 404, says so once, and begins with nothing but SUBSCRIBE (B2)', async () => {
    const answers = [503, 503, 503, 404]
    const master = await scriptedMaster((request) => {
      const code = answers.shift()
      if (code === undefined) answerAll(request)
      else request.status(code, code === 503 ? 'No leader elected' : '')
    })
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    expect(master.requests).toHaveLength(5)
    expect(driven.prepared()).toBe(5)
    expect(driven.troubles.map(({ message }) => message)).toEqual([
      expect.stringContaining('503 (No leader elected)'),
      expect.stringContaining('it answered 404'),
    ])
    expect(driven.troubles[0]).toMatchObject({ code: 'ERR_MASTER_UNREACHABLE', retryable: true })
  })

  test('says in plain words that no master is there, with what to check, and once', async () => {
    const gone = await scriptedMaster()
    await gone.close()
    const driven = drive({ masters: gone.url })
    await until(() => driven.prepared() >= 4)
    expect(driven.troubles.map(({ message }) => message)).toEqual([
      `cannot reach a Mesos master at ${gone.url}: connection refused; trying again in 1 s; ` +
        'check that the master runs and that the address is right',
    ])
  })

  test('tries the other masters when one is away', async () => {
    const gone = await scriptedMaster()
    await gone.close()
    const master = await scriptedMaster()
    const driven = drive({ masters: [gone.url, master.url], random: () => 0.999 })
    await driven.subscribed()
    expect(driven.troubles).toEqual([])
  })

  test('gives up a master that takes the request and never answers', async () => {
    let count = 0
    const master = await scriptedMaster((request) => {
      count += 1
      if (count > 1) answerAll(request)
    })
    const driven = drive({ masters: master.url, answerTimeoutMs: 30 })
    await driven.subscribed()
    expect(driven.troubles[0]?.message).toContain('no answer within 30 ms')
  })

  test('gives up a stream on which SUBSCRIBED does not come', async () => {
    const master = await scriptedMaster((request) => void request.stream({ records: [] }))
    const driven = drive({ masters: master.url, answerTimeoutMs: 30 })
    await until(() => master.subscribes().length >= 2)
    expect(driven.events).toEqual([])
    expect(driven.troubles[0]?.message).toContain('gave no subscription')
    expect(master.feeds[0]?.isClosed()).toBe(true)
  })

  test('a stream that begins with anything else than SUBSCRIBED is no subscription', async () => {
    const records = [{ type: 'HEARTBEAT' }, subscribedRecord('f', 15)]
    const master = await scriptedMaster((request) => void request.stream(master.feeds.length === 0 ? { records } : {}))
    const driven = drive({ masters: master.url })
    expect(await driven.subscribed()).toBe('stream-2')
  })
})

describe('what is asked before every SUBSCRIBE', () => {
  test('when it cannot be done now, nothing is sent and it is tried again', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url }, async (attempt) => {
      if (attempt < 3) throw new SdkError('ERR_STORE_UNREACHABLE', 'the store is away', { retryable: true })
      return frameworkInfo(frameworkId('stored-0007'))
    })
    await driven.subscribed()
    expect(master.subscribes().map(({ body }) => body.framework_id)).toEqual([{ value: 'stored-0007' }])
    expect(driven.troubles.map(({ message }) => message)).toEqual(['the store is away; trying again in 1 s'])
  })

  test('when it can never be done, the driver stops', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url }, async () => {
      throw new SdkError('ERR_STORE_DEPOSED', 'another scheduler leads')
    })
    await until(() => driven.troubles.length > 0)
    await driven.driver.close()
    expect(driven.prepared()).toBe(1)
    expect(master.requests).toEqual([])
  })

  test('closing does not wait for it', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url }, () => new Promise(() => undefined))
    await until(() => driven.prepared() === 1)
    await driven.driver.close()
    expect(master.requests).toEqual([])
  })
})

describe('interruptions', () => {
  test('after the end of the stream it subscribes again with its id, under a new stream id (B20, B21)', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    master.feeds[0]?.end()
    expect(await driven.subscribed(2)).toBe('stream-2')
    expect(driven.events.map(({ type }) => type)).toEqual(['subscribed', 'disconnected', 'subscribed'])
    expect(master.subscribes()[1]?.body).toMatchObject({
      framework_id: { value: 'framework-0000' },
      subscribe: { framework_info: { id: { value: 'framework-0000' } } },
    })
  })

  test('a stream cut in the middle of a record loses the fragment only', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    const bytes = frame({ type: 'RESCIND', rescind: { offer_id: { value: 'o1' } } })
    master.feeds[0]?.raw(Buffer.concat([bytes, bytes.subarray(0, 20)]))
    await until(() => driven.ofType('offerRescinded').length === 1)
    master.feeds[0]?.end()
    await driven.subscribed(2)
    expect(driven.ofType('disconnected')[0]?.reason).toContain('in the middle of a record')
    expect(driven.ofType('offerRescinded')).toHaveLength(1)
  })

  test('a broken connection is an end like any other', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    master.feeds[0]?.cut()
    await driven.subscribed(2)
    expect(driven.ofType('disconnected')).toHaveLength(1)
  })

  test('a length that is none ends the stream (B13)', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    master.feeds[0]?.raw('2x\n{}')
    await driven.subscribed(2)
    expect(driven.ofType('disconnected')[0]?.reason).toContain('record length')
    expect(master.feeds[0]?.isClosed()).toBe(true)
  })

  test('one record that lacks what it must have is left out and reported; the stream goes on', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    master.feeds[0]?.record({ type: 'RESCIND', rescind: {} })
    master.feeds[0]?.record({ type: 'SOMETHING_NEW', something_new: {} })
    master.feeds[0]?.record({ type: 'RESCIND', rescind: { offer_id: { value: 'o1' } } })
    await until(() => driven.ofType('offerRescinded').length === 1)
    expect(driven.troubles).toMatchObject([{ code: 'ERR_PROTOCOL' }])
    expect(driven.ofType('disconnected')).toEqual([])
  })

  test('silence for so many announced intervals ends the stream, and the socket is closed (B8)', async () => {
    const master = await scriptedMaster((request) => void request.stream({ heartbeatSeconds: 0.01 }))
    const driven = drive({ masters: master.url })
    await driven.subscribed(2)
    expect(driven.ofType('disconnected')[0]?.reason).toBe('nothing from the master for 50 ms')
    await until(() => master.feeds[0]?.isClosed() === true)
  })

  test('other records keep a stream alive on which no heartbeat comes (B9)', async () => {
    const master = await scriptedMaster((request) => void request.stream({ heartbeatSeconds: 0.02 }))
    const driven = drive({ masters: master.url, heartbeatTolerance: 5 })
    await driven.subscribed()
    let sent = 0
    const timer = setInterval(() => {
      sent += 1
      master.feeds[0]?.record({ type: 'RESCIND', rescind: { offer_id: { value: `o${sent}` } } })
    }, 10)
    await until(() => driven.ofType('offerRescinded').length >= 30)
    clearInterval(timer)
    expect(driven.ofType('subscribed')).toHaveLength(1)
  })

  test('a master that announces no interval is not watched', async () => {
    const master = await scriptedMaster((request) => void request.stream({ heartbeatSeconds: null }))
    const driven = drive({ masters: master.url, answerTimeoutMs: 20, heartbeatTolerance: 1 })
    await driven.subscribed()
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(driven.events).toHaveLength(1)
  })

  test('a handler that throws stops neither the reading nor the driver', async () => {
    const master = await scriptedMaster()
    const troubles: Error[] = []
    let seen = 0
    const driver = createMesosDriver({ masters: master.url })
    driver.start({
      beforeSubscribe: async () => frameworkInfo(),
      onEvent: () => {
        seen += 1
        throw new Error('a fault of the caller')
      },
      onTrouble: (error) => troubles.push(error),
    })
    await until(() => seen === 1)
    master.feeds[0]?.record({ type: 'RESCIND', rescind: { offer_id: { value: 'o1' } } })
    await until(() => seen === 2)
    await driver.close()
    expect(troubles).toMatchObject([{ code: 'ERR_INVARIANT' }, { code: 'ERR_INVARIANT' }])
  })
})

describe('errors of the master', () => {
  test.each([
    ['Framework failed over', 'failedOver'],
    ['Framework has been removed', 'removed'],
    ["Changing framework's principal is not allowed.", 'refused'],
  ])('on "%s" it stops and does not subscribe again (B19)', async (message, kind) => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    const stream = await driven.subscribed()
    master.feeds[0]?.record({ type: 'ERROR', error: { message } })
    await until(() => driven.ofType('frameworkErrorReceived').length === 1)
    await driven.driver.close()
    expect(driven.events.at(-1)).toEqual({ type: 'frameworkErrorReceived', kind, message, atMs: 1_000 })
    expect(driven.ofType('disconnected')).toEqual([])
    await driven.send(stream, { type: 'revive' })
    expect(master.requests).toHaveLength(1)
  })

  test('a refusal as the first record stops it too, as recorded for a removed framework', async () => {
    const error = { type: 'ERROR', error: { message: 'Framework has been removed' } }
    const master = await scriptedMaster((request) => request.stream({ records: [error] }).end())
    const driven = drive({ masters: master.url })
    await until(() => driven.events.length === 1)
    await driven.driver.close()
    expect(driven.events).toMatchObject([{ type: 'frameworkErrorReceived', kind: 'removed' }])
    expect(master.requests).toHaveLength(1)
  })

  test('after any other error it comes back', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    master.feeds[0]?.record({ type: 'ERROR', error: { message: 'out of luck' } })
    await driven.subscribed(2)
    expect(driven.events.map(({ type }) => type)).toEqual(['subscribed', 'frameworkErrorReceived', 'disconnected', 'subscribed'])
  })

  test('400 to a SUBSCRIBE comes from the leader and will come again: it stops', async () => {
    const master = await scriptedMaster((request) => request.status(400, "'framework_id' differs"))
    const driven = drive({ masters: master.url })
    await until(() => driven.events.length === 1)
    await driven.driver.close()
    expect(driven.events).toMatchObject([{ kind: 'refused', message: expect.stringContaining("400 ('framework_id' differs)") }])
    expect(master.requests).toHaveLength(1)
  })

  test('once stopped, it can be started again', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    await driven.subscribed()
    const again = { beforeSubscribe: async () => frameworkInfo(), onEvent: () => undefined, onTrouble: () => undefined }
    expect(() => driven.driver.start(again)).toThrow(expect.objectContaining({ code: 'ERR_INVARIANT' }))
    master.feeds[0]?.record({ type: 'ERROR', error: { message: 'Framework failed over' } })
    await until(() => driven.ofType('frameworkErrorReceived').length === 1)
    driven.driver.start(again)
    await until(() => master.subscribes().length === 2)
  })
})

describe('authentication', () => {
  test('credentials go with every request (A21)', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url, credentials: { principal: 'capture', secret: 's3cret' } })
    await driven.send(await driven.subscribed(), { type: 'revive' })
    const recorded = readTranscript('23_basic_authentication.jsonl').find(
      ({ dir, body }) => dir === '>' && body?.type === 'SUBSCRIBE',
    )
    const header = recorded?.headers?.['Authorization']
    expect(header).toBeTruthy()
    expect(master.requests.map(({ headers }) => headers.authorization)).toEqual([header, header])
  })

  test('a token is asked for anew after a refusal', async () => {
    const master = await scriptedMaster((request) =>
      request.headers.authorization === 'Bearer 2' ? answerAll(request) : request.status(401, '401 Unauthorized.'),
    )
    let token = 0
    const driven = drive({ masters: master.url, credentials: () => `Bearer ${(token += 1)}` })
    await driven.subscribed()
    expect(driven.troubles).toMatchObject([{ code: 'ERR_MASTER_REFUSED', message: expect.stringContaining('401 Unauthorized.') }])
  })

  test('refused twice by the only master, it stops', async () => {
    const master = await scriptedMaster((request) => request.status(401, '401 Unauthorized.'))
    const driven = drive({ masters: master.url })
    await until(() => driven.events.length === 1)
    await driven.driver.close()
    expect(driven.events).toMatchObject([{ type: 'frameworkErrorReceived', kind: 'refused' }])
    expect(master.requests).toHaveLength(2)
  })

  test('refused by a standby alone while the leader is away, it goes on', async () => {
    const leader = await scriptedMaster((request) => request.status(503))
    const standby = await scriptedMaster((request) => request.status(401))
    const driven = drive({ masters: [standby.url, leader.url] })
    await until(() => standby.requests.length >= 4)
    leader.answer(answerAll)
    await driven.subscribed()
  })

  test('a colon in credentials is refused, and the secret is not shown', () => {
    const make = () => createMesosDriver({ masters: 'http://a:5050', credentials: { principal: 'a', secret: 'x:s3cret' } })
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
    expect(make).not.toThrow('s3cret')
  })
})

test('closing ends the stream without a word: no event, no TEARDOWN', async () => {
  const master = await scriptedMaster()
  const driven = drive({ masters: master.url })
  await driven.subscribed()
  await driven.driver.close()
  await until(() => master.feeds[0]?.isClosed() === true)
  expect(driven.events).toHaveLength(1)
  expect(master.requests).toHaveLength(1)
})

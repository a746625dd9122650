/** Calls: their order, their fence, and what an answer or its absence means (mesos-v1.md 1.9, 1.10, 8.3; A12, A14, A19, A20). */
import { describe, expect, test } from 'vitest'
import { agentId, offerId, taskId } from '../../src/ids.js'
import type { MesosCall } from '../../src/scheduler/output.js'
import { drive, scriptedMaster, until } from './support/driven.js'
import { answerAll, type ReceivedRequest } from './support/scripted-master.js'

const accept: MesosCall = {
  type: 'accept',
  offerIds: [offerId('o1')],
  agentId: agentId('s1'),
  operations: [],
  refuseSeconds: 5,
}
const kill = (id: string): MesosCall => ({ type: 'kill', taskId: taskId(id), agentId: agentId('s1') })

/** Answers SUBSCRIBE as usual and calls as the test says. */
const answerCalls =
  (script: (request: ReceivedRequest) => void) =>
  (request: ReceivedRequest): void =>
    request.body.type === 'SUBSCRIBE' ? answerAll(request) : script(request)

describe('order and fence', () => {
  test('a call goes to the same master, with the stream id, on a connection of its own', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    await driven.send(await driven.subscribed(), kill('t1'))
    const [call] = master.calls()
    expect(call).toMatchObject({ method: 'POST', path: '/api/v1/scheduler' })
    expect(call?.body).toMatchObject({ type: 'KILL', framework_id: { value: 'framework-0000' } })
    expect(call?.headers).toMatchObject({ 'content-type': 'application/json', 'mesos-stream-id': 'stream-1' })
    expect(call?.connection).not.toBe(master.subscribes()[0]?.connection)
  })

  test('calls arrive in the order given, on one connection, the next after the answer to the one before (A19)', async () => {
    let open = 0
    let most = 0
    const master = await scriptedMaster(
      answerCalls((request) => {
        open += 1
        most = Math.max(most, open)
        setTimeout(() => {
          open -= 1
          request.status(202)
        }, Math.random() * 4)
      }),
    )
    const driven = drive({ masters: master.url })
    const stream = await driven.subscribed()
    const ids = Array.from({ length: 30 }, (_, index) => `t${index}`)
    await Promise.all(ids.map((id) => driven.send(stream, kill(id))))
    expect(master.calls().map(({ body }) => body.kill.task_id.value)).toEqual(ids)
    expect(new Set(master.calls().map(({ connection }) => connection)).size).toBe(1)
    expect(most).toBe(1)
  })

  test('a call decided on an earlier stream is dropped, and only the debug log knows', async () => {
    const master = await scriptedMaster()
    const driven = drive({ masters: master.url })
    const stale = await driven.subscribed()
    master.feeds[0]?.end()
    const current = await driven.subscribed(2)
    await driven.send(stale, accept)
    await driven.send(current, kill('t1'))
    expect(master.calls().map(({ body }) => body.type)).toEqual(['KILL'])
    expect(driven.debugged).toContainEqual({
      fields: { call: 'accept', streamId: stale },
      message: 'a call of an earlier stream was dropped',
    })
    expect(driven.troubles).toEqual([])
  })

  test('nothing is sent before SUBSCRIBED, nor after the end, and nobody waits for it', async () => {
    const master = await scriptedMaster((request) => void request.stream({ records: [] }))
    const driven = drive({ masters: master.url })
    await until(() => master.feeds.length === 1)
    await driven.send('stream-1', kill('t1'))
    await driven.driver.close()
    await driven.send('stream-1', kill('t1'))
    expect(master.calls()).toEqual([])
  })

  test('what still waits in the queue when the stream ends is never sent', async () => {
    const master = await scriptedMaster(answerCalls(() => undefined))
    const driven = drive({ masters: master.url })
    const stream = await driven.subscribed()
    const sent = Promise.all([driven.send(stream, kill('t1')), driven.send(stream, accept), driven.send(stream, kill('t2'))])
    await until(() => master.calls().length === 1)
    master.answer(answerAll)
    master.feeds[0]?.end()
    await sent
    await driven.send(await driven.subscribed(2), kill('t3'))
    expect(master.calls().map(({ body }) => body.kill?.task_id.value)).toEqual(['t1', 't3'])
  })
})

describe('an ACCEPT without an answer', () => {
  test.each<[string, (request: ReceivedRequest) => void]>([
    ['the connection breaks', (request) => request.cut()],
    ['no answer in its time', () => undefined],
    ['503', (request) => request.status(503)],
    ['500', (request) => request.status(500)],
  ])('is never sent again; the driver subscribes anew (%s; A20)', async (_name, script) => {
    const master = await scriptedMaster(
      answerCalls((request) => (request.body.type === 'ACCEPT' ? script(request) : answerAll(request))),
    )
    const driven = drive({ masters: master.url, callTimeoutMs: 60 })
    const stream = await driven.subscribed()
    await driven.send(stream, accept)
    expect(driven.ofType('disconnected')).toHaveLength(1)
    const next = await driven.subscribed(2)
    for (let index = 0; index < 5; index += 1) await driven.send(next, kill(`t${index}`))
    expect(master.calls('ACCEPT')).toHaveLength(1)
    expect(master.calls('KILL')).toHaveLength(5)
    await until(() => master.feeds[0]?.isClosed() === true)
  })

  test('also when the connection had been kept alive by earlier calls', async () => {
    const master = await scriptedMaster(
      answerCalls((request) => (request.body.type === 'ACCEPT' ? request.cut() : answerAll(request))),
    )
    const driven = drive({ masters: master.url })
    const stream = await driven.subscribed()
    await Promise.all([driven.send(stream, kill('t1')), driven.send(stream, accept), driven.send(stream, kill('t2'))])
    await driven.subscribed(2)
    expect(master.calls().map(({ body }) => body.type)).toEqual(['KILL', 'ACCEPT'])
  })
})

describe('other calls', () => {
  test('one that lost its connection is sent once more, before the next', async () => {
    let cuts = 1
    const master = await scriptedMaster(
      answerCalls((request) => {
        if (cuts > 0) {
          cuts -= 1
          request.cut()
        } else request.status(202)
      }),
    )
    const driven = drive({ masters: master.url })
    const stream = await driven.subscribed()
    await Promise.all([driven.send(stream, kill('t1')), driven.send(stream, kill('t2'))])
    expect(master.calls().map(({ body }) => body.kill.task_id.value)).toEqual(['t1', 't1', 't2'])
    expect(driven.ofType('disconnected')).toEqual([])
  })

  test('lost twice, it ends the stream', async () => {
    const master = await scriptedMaster(answerCalls((request) => request.cut()))
    const driven = drive({ masters: master.url })
    await driven.send(await driven.subscribed(), kill('t1'))
    expect(master.calls()).toHaveLength(2)
    expect(driven.ofType('disconnected')[0]?.reason).toContain('no answer to KILL')
  })

  test('SUPPRESS and REVIVE are not repeated: a late first copy could undo what came after it', async () => {
    const master = await scriptedMaster(answerCalls((request) => request.cut()))
    const driven = drive({ masters: master.url })
    await driven.send(await driven.subscribed(), { type: 'suppress' })
    expect(master.calls('SUPPRESS')).toHaveLength(1)
    expect(driven.ofType('disconnected')).toHaveLength(1)
  })

  // Bodies as recorded in 06_failover and 09_malformed.
  test.each([
    [403, 'Framework is not subscribed'],
    [400, "The stream ID 'a' included in this request didn't match the stream ID currently associated with framework ID 'f'"],
    [400, 'Framework cannot be found'],
    [401, '401 Unauthorized.'],
    [404, ''],
    [503, 'Master has not finished recovery'],
  ])('%d "%s" means that the stream is dead: it subscribes again and repeats nothing', async (code, text) => {
    let refuse = true
    const master = await scriptedMaster(answerCalls((request) => (refuse ? request.status(code, text) : request.status(202))))
    const driven = drive({ masters: master.url })
    await driven.send(await driven.subscribed(), kill('t1'))
    refuse = false
    await driven.subscribed(2)
    expect(master.calls()).toHaveLength(1)
    expect(driven.ofType('disconnected')[0]?.reason).toContain(String(code))
  })

  test('307 means another leader: the stream ends, and the call is not carried there', async () => {
    const leader = await scriptedMaster()
    const old = await scriptedMaster()
    const driven = drive({ masters: [old.url] })
    const stream = await driven.subscribed()
    const location = `${leader.url.slice(5)}/master/api/v1/scheduler`
    old.answer((request) => request.status(307, '', { Location: location }))
    await driven.send(stream, accept)
    await driven.subscribed(2)
    expect(leader.requests.map(({ body }) => body.type)).toEqual(['SUBSCRIBE'])
    expect(old.calls('ACCEPT')).toHaveLength(1)
  })

  test('400 for any other reason is told with its text; the stream goes on', async () => {
    const text = "Failed to validate scheduler::Call: Expecting 'kill' to be present"
    const master = await scriptedMaster(answerCalls((request) => request.status(400, text)))
    const driven = drive({ masters: master.url })
    const stream = await driven.subscribed()
    await driven.send(stream, kill('t1'))
    await driven.send(stream, kill('t2'))
    expect(driven.troubles).toMatchObject([{ code: 'ERR_PROTOCOL', message: expect.stringContaining(text) }])
    expect(driven.ofType('disconnected')).toEqual([])
    expect(master.calls()).toHaveLength(2)
  })

  test('reading goes on while calls wait: a slow answer delays no event (B30)', async () => {
    const master = await scriptedMaster(answerCalls(() => undefined))
    const driven = drive({ masters: master.url })
    const stream = await driven.subscribed()
    void driven.send(stream, kill('t1'))
    await until(() => master.calls().length === 1)
    for (let index = 0; index < 500; index += 1) {
      master.feeds[0]?.record({ type: 'RESCIND', rescind: { offer_id: { value: `o${index}` } } })
    }
    await until(() => driven.ofType('offerRescinded').length === 500)
    expect(driven.ofType('offerRescinded').map((event) => event.offerId)).toEqual(Array.from({ length: 500 }, (_, i) => `o${i}`))
  })
})

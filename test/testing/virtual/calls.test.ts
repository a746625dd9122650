/** What happens to calls when their connection breaks. */
import { describe, expect, it } from 'vitest'
import { agentId, frameworkId, offerId, streamId, taskId } from '../../../src/ids.js'
import type { Ack, MesosCall } from '../../../src/scheduler/output.js'
import { createCallQueue, type CallFault, type CallQueue } from '../../../src/testing/virtual/calls.js'
import type { ConnectionHandlers } from '../../../src/testing/virtual/connection.js'

const calls: Readonly<Record<string, MesosCall | Ack>> = {
  decline: { type: 'decline', offerIds: [], refuseSeconds: 5 },
  kill: { type: 'kill', taskId: taskId('t'), agentId: agentId('a') },
  acknowledge: { type: 'acknowledgeTask', taskId: taskId('t'), agentId: agentId('a'), uuid: 'u' },
  accept: { type: 'accept', offerIds: [offerId('o')], agentId: agentId('a'), operations: [], refuseSeconds: 5 },
  suppress: { type: 'suppress' },
  revive: { type: 'revive' },
}

/** A queue whose connections are in the hands of the test. */
function openQueue(fault: CallFault = 'none'): { queue: CallQueue; seen: string[]; connections: ConnectionHandlers[] } {
  const seen: string[] = []
  const connections: ConnectionHandlers[] = []
  const queue = createCallQueue({
    open(handlers) {
      connections.push(handlers)
      const number = connections.length
      return {
        post: () => seen.push(`posted on ${number}`),
        postLate: () => undefined,
        close: () => seen.push(`closed ${number}`),
      }
    },
    after: () => () => undefined,
    streamId: streamId('s'),
    framework: { frameworkId: frameworkId('f'), role: 'r' },
    callTimeoutMs: 1,
    faultOf: () => fault,
    onCrash: () => {
      seen.push('dies')
      queue.close()
    },
    onSent: () => undefined,
    onDead: (reason) => seen.push(`dead: ${reason}`),
    onRefused: (_call, status) => seen.push(`refused: ${status}`),
  })
  return { queue, seen, connections }
}

describe('a call whose connection breaks', () => {
  it.each(['decline', 'kill', 'acknowledge'])('is sent once more, and not twice: %s', (name) => {
    const { queue, seen, connections } = openQueue()
    void queue.send(calls[name] as MesosCall, 0)
    connections[0]?.onEnd('gone')
    connections[1]?.onEnd('gone')
    expect(seen).toEqual(['posted on 1', 'posted on 2', expect.stringMatching(/^dead: no answer to .*: gone$/)])
  })

  it.each(['accept', 'suppress', 'revive'])('ends the stream and is never sent again: %s', (name) => {
    const { queue, seen, connections } = openQueue()
    void queue.send(calls[name] as MesosCall, 0)
    connections[0]?.onEnd('gone')
    expect(seen).toEqual(['posted on 1', `dead: no answer to ${name}: gone`])
  })
})

it.each([
  ['crash', ['dies']],
  ['crashAfter', ['posted on 1', 'dies', 'closed 1']],
] as const)('a process that dies at a call sends nothing more: %s', (fault, expected) => {
  const { queue, seen } = openQueue(fault)
  void queue.send(calls['decline'] as MesosCall, 0)
  void queue.send(calls['accept'] as MesosCall, 0)
  expect(seen).toEqual(expected)
})

it('a connection that breaks between calls is made anew for the next one', async () => {
  const { queue, seen, connections } = openQueue()
  const first = queue.send(calls['revive'] as MesosCall, 0)
  connections[0]?.onAnswer(202, '', undefined)
  await first
  connections[0]?.onEnd('idle for too long')
  void queue.send(calls['accept'] as MesosCall, 0)
  expect(seen).toEqual(['posted on 1', 'posted on 2'])
})

it.each([
  [307, '', 'dead'],
  [400, 'The stream ID included in this request', 'dead'],
  [400, 'Not a valid UUID', 'refused'],
  [403, 'Framework is not subscribed', 'dead'],
  [503, '', 'dead'],
])('an answer %i (%s) means: %s', (status, text, meaning) => {
  const { queue, seen, connections } = openQueue()
  void queue.send(calls['decline'] as MesosCall, 0)
  connections[0]?.onAnswer(status, text, undefined)
  expect(seen.at(-1)).toMatch(new RegExp(`^${meaning}`))
})

it('what is in the queue when it is closed is given up', async () => {
  const { queue, seen } = openQueue()
  const all = Promise.all([queue.send(calls['decline'] as MesosCall, 0), queue.send(calls['accept'] as MesosCall, 0)])
  queue.close()
  await all
  await queue.send(calls['accept'] as MesosCall, 0)
  expect(seen).toEqual(['posted on 1', 'closed 1'])
})

import { describe, expect, test } from 'vitest'
import { orderCandidates, parseMasters, resolveRedirect } from '../../src/mesos/leader.js'
import { readTranscript } from './support/transcripts.js'

const hrefs = (urls: readonly URL[]) => urls.map((url) => url.href)

describe('parseMasters', () => {
  test.each([
    ['http://10.0.0.1:5050', ['http://10.0.0.1:5050/api/v1/scheduler']],
    ['http://a:5050/, https://b:5050', ['http://a:5050/api/v1/scheduler', 'https://b:5050/api/v1/scheduler']],
    [
      ['http://a:5050', 'http://b:5050'],
      ['http://a:5050/api/v1/scheduler', 'http://b:5050/api/v1/scheduler'],
    ],
    ['http://proxy/mesos/', ['http://proxy/mesos/api/v1/scheduler']],
  ])('reads %j', (masters, expected) => {
    expect(hrefs(parseMasters(masters))).toEqual(expected)
  })

  test.each([
    ['', 'at least one master'],
    [[], 'at least one master'],
    ['10.0.0.1:5050', 'like http://host:port'],
    ['master', 'like http://host:port'],
    ['ftp://a:21', 'like http://host:port'],
    ['http://user:pw@a:5050', 'credentials'],
    ['zk://zk1:2181,zk2:2181/mesos', 'name the masters as http://host:port'],
  ])('refuses %j and says what to give', (masters, text) => {
    expect(() => parseMasters(masters)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
    expect(() => parseMasters(masters)).toThrow(text)
  })

  test('shows no password of a ZooKeeper address', () => {
    expect(() => parseMasters('zk://user:s3cret@zk1:2181/mesos')).toThrow('zk://***@zk1:2181/mesos')
    expect(() => parseMasters('http://user:s3cret@a:5050')).not.toThrow('s3cret')
  })
})

describe('orderCandidates', () => {
  const masters = parseMasters('http://a:1,http://b:1,http://c:1')

  test('tries the last leader first and no master twice', () => {
    const leader = new URL('http://b:1/master/api/v1/scheduler')
    const order = orderCandidates(masters, leader, () => 0)
    expect(order[0]).toBe(leader)
    expect(order.map(({ host }) => host).sort()).toEqual(['a:1', 'b:1', 'c:1'])
  })

  test('keeps a leader that no configured master is', () => {
    expect(orderCandidates(masters, new URL('http://d:1/x'), () => 0)).toHaveLength(4)
  })

  test('the order depends on the random numbers alone', () => {
    expect(hrefs(orderCandidates(masters, undefined, () => 0.99))).toEqual(hrefs(masters))
    expect(orderCandidates(masters, undefined, () => 0).map(({ host }) => host)).toEqual(['b:1', 'c:1', 'a:1'])
    expect(hrefs(masters)).toHaveLength(3)
  })
})

describe('resolveRedirect', () => {
  const from = new URL('http://127.0.0.1:5071/api/v1/scheduler')

  test('keeps the scheme of the request, as recorded from a standby (B1)', () => {
    const line = readTranscript('31_two_masters_redirect.jsonl').find(({ status }) => status === 307)
    expect(resolveRedirect(line?.headers?.['Location'] ?? '', from)?.href).toBe('http://127.0.0.1:5070/master/api/v1/scheduler')
    const secure = new URL('https://a:5050/api/v1/scheduler')
    expect(resolveRedirect('//b:5050/master/api/v1/scheduler', secure)?.href).toBe('https://b:5050/master/api/v1/scheduler')
  })

  test.each([
    ['//leader:5050', 'http://leader:5050/api/v1/scheduler'],
    ['https://leader:5050/api/v1/scheduler', 'https://leader:5050/api/v1/scheduler'],
    ['/master/api/v1/scheduler', 'http://127.0.0.1:5071/master/api/v1/scheduler'],
  ])('follows %s', (location, expected) => {
    expect(resolveRedirect(location, from)?.href).toBe(expected)
  })

  test('never goes from https to http, nor to another protocol', () => {
    expect(resolveRedirect('http://b:5050/', new URL('https://a:5050/'))).toBeUndefined()
    expect(resolveRedirect('ftp://b/', from)).toBeUndefined()
    expect(resolveRedirect('http://', from)).toBeUndefined()
  })

  test('maps a host name that does not resolve from here', () => {
    const mapped = resolveRedirect('//master-1.internal:5050/master/api/v1/scheduler', from, () => '10.1.1.5')
    expect(mapped?.href).toBe('http://10.1.1.5:5050/master/api/v1/scheduler')
  })
})

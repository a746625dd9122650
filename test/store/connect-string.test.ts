import { describe, expect, test } from 'vitest'
import { parseConnectString, showAddress } from '../../src/store/connect-string.js'
import { pathPrefixes, storePaths } from '../../src/store/paths.js'

describe('a ZooKeeper address', () => {
  test.each([
    ['zk://zk1,zk2:2182,zk3/stateward', { servers: 'zk1:2181,zk2:2182,zk3:2181', path: '/stateward' }],
    ['127.0.0.1:2181', { servers: '127.0.0.1:2181', path: '' }],
    ['h1:1,h2:2/a/b/', { servers: 'h1:1,h2:2', path: '/a/b' }],
    ['zk://h/', { servers: 'h:2181', path: '' }],
    ['zk://u:p@h/a', { servers: 'h:2181', path: '/a', credentials: { user: 'u', password: 'p' } }],
    ['zk://u:p@:%2F%25@h', { servers: 'h:2181', path: '', credentials: { user: 'u', password: 'p@:/%' } }],
  ])('%s is read', (text, address) => {
    expect(parseConnectString(text)).toEqual(address)
  })

  test.each([
    '',
    'zk://',
    'zk:///a',
    'http://h',
    'h:0',
    'h:99999',
    'h:x',
    'h,,g',
    '[::1]:2181',
    'h//a',
    'h/a/../b',
    'h/zookeeper',
    'u@h',
    ':p@h',
    'u:@h',
    'u:%@h',
    'u:2181/p@h/a',
  ])('%j is refused', (text) => {
    expect(() => parseConnectString(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }) as Error)
  })

  test('no message shows the password', () => {
    for (const text of [
      'zk://u:sesame@h:x',
      'zk://u:sesame%@h',
      'zk://u:sesame@h//a',
      'zk://u:sesame/x@h/a',
      'zk://u:1/sesame@h',
    ]) {
      expect(() => parseConnectString(text)).not.toThrow(/sesame/)
    }
    expect(showAddress(parseConnectString('zk://u:sesame@h/a'))).toBe('zk://h:2181/a')
  })
})

describe('the layout', () => {
  test('services of different names never share a node', () => {
    const names = ['a', 'a/b', 'a%2Fb', 'a__b', '.', '..', '%2E', 'ä']
    const roots = names.map((name) => storePaths('/stateward', name).root)
    expect(new Set(roots).size).toBe(names.length)
    for (const root of roots) expect(root).toMatch(/^\/stateward\/(?!\.{1,2}$)[^/]+$/)
  })

  test('records stand under their kind, and prefixes begin at the top', () => {
    expect(storePaths('', undefined).record('tasks/a')).toBe('/records/tasks/a')
    expect(storePaths('/x', 'kafka').commit(3)).toBe('/x/kafka/commit/3')
    expect(pathPrefixes('/a/b/c')).toEqual(['/a', '/a/b', '/a/b/c'])
    expect(pathPrefixes('')).toEqual([])
  })
})

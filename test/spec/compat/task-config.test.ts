import { describe, expect, test } from 'vitest'
import { createFindings } from '../../../src/spec/compat/findings.js'
import { injectEnvironment } from '../../../src/spec/compat/task-config.js'

function inject(env: Record<string, string>, pods: string[], lenient = false) {
  const findings = createFindings({ locate: () => undefined }, lenient)
  const injected = injectEnvironment(env, pods, findings)
  const values = Object.fromEntries(
    [...injected].map(([pod, variables]) => [pod, Object.fromEntries([...variables].map(([key, { value }]) => [key, value]))]),
  )
  return { values, errors: findings.errors.map(({ message }) => message), notes: findings.notes.map(({ message }) => message) }
}

test('what is for all pods is for each, and what is for a pod is for it alone', () => {
  const { values, errors, notes } = inject({ TASKCFG_ALL_A: '1', TASKCFG_DB_B: '2', OTHER: '3' }, ['db', 'web'])
  expect(values).toEqual({ db: { A: '1', B: '2' }, web: { A: '1' } })
  expect([...errors, ...notes]).toEqual([])
})

test('signs other than letters, digits and underscores stand as underscores', () => {
  expect(inject({ TASKCFG_A_B_C_X: '1' }, ['a-b.c']).values).toEqual({ 'a-b.c': { X: '1' } })
})

describe('what is for a pod beats what is for all', () => {
  const env = { TASKCFG_ALL_K: 'all', TASKCFG_AGENT_K: 'agent', TASKCFG_HELLO_K: 'hello' }

  test('whatever the alphabet says, which a note tells', () => {
    const { values, notes } = inject(env, ['agent', 'hello'])
    expect(values).toEqual({ agent: { K: 'agent' }, hello: { K: 'hello' } })
    expect(notes).toEqual([
      'dcos-commons would have let TASKCFG_ALL_K win in pod agent, by the alphabet; here TASKCFG_AGENT_K wins, which is for the pod',
    ])
  })

  test('leniently as the alphabet says', () => {
    expect(inject(env, ['agent', 'hello'], true)).toEqual({
      values: { agent: { K: 'all' }, hello: { K: 'hello' } },
      errors: [],
      notes: [],
    })
  })
})

describe('a variable that fits several pods', () => {
  const env = { TASKCFG_HELLO_WORLD_X: '1', TASKCFG_HELLO_Y: '2' }

  test('is for the one with the longest name, which a note tells', () => {
    const { values, notes } = inject(env, ['hello', 'hello-world'])
    expect(values).toEqual({ hello: { Y: '2' }, 'hello-world': { X: '1' } })
    expect(notes).toEqual([
      'dcos-commons would also have set WORLD_X in pod hello; here TASKCFG_HELLO_WORLD_X is for the pod with the longer name alone',
    ])
  })

  test('is leniently for all of them', () => {
    expect(inject(env, ['hello', 'hello-world'], true).values).toEqual({
      hello: { WORLD_X: '1', Y: '2' },
      'hello-world': { X: '1' },
    })
  })
})

describe('a pod that cannot be told from all pods', () => {
  test.each(['all', 'ALL', 'all-nodes'])('%s is refused when there is such a variable', (pod) => {
    expect(inject({ TASKCFG_ALL_NODES_X: '1' }, [pod]).errors).toEqual([
      `TASKCFG_ALL_NODES_X could be for the pod ${pod} or for all pods; rename the pod, or set the variable in env`,
    ])
  })

  test('is taken where no variable is meant', () => {
    expect(inject({ TASKCFG_DB_X: '1' }, ['all', 'db'])).toMatchObject({ values: { all: {}, db: { X: '1' } }, errors: [] })
    expect(inject({ TASKCFG_ALL_X: '1' }, ['all-nodes'])).toMatchObject({ values: { 'all-nodes': { X: '1' } }, errors: [] })
  })
})

test('a variable that fits no pod is refused, and leniently passed over', () => {
  const env = { TASKCFG_BD_X: '1', TASKCFG_ALL_: '2' }
  expect(inject(env, ['db']).errors).toEqual([
    'TASKCFG_ALL_ fits no pod (there are: db); dcos-commons left it out without a word: remove or correct it',
    'TASKCFG_BD_X fits no pod (there are: db); dcos-commons left it out without a word: remove or correct it',
  ])
  expect(inject(env, ['db'], true)).toEqual({ values: { db: {} }, errors: [], notes: [] })
})

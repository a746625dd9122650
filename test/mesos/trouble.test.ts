import { expect, test } from 'vitest'
import { createTroubleReporter } from '../../src/mesos/trouble.js'

function reporter() {
  const told: string[] = []
  let atMs = 0
  const trouble = createTroubleReporter(
    (error) => told.push(error.message),
    () => atMs,
  )
  return { told, trouble, pass: (ms: number) => (atMs += ms) }
}

test('says a cause once, then again after growing pauses, with the wording of the moment', () => {
  const { told, trouble, pass } = reporter()
  for (let second = 0; second < 200; second += 1) {
    trouble.report('down', new Error(`down, second ${second}`))
    pass(1_000)
  }
  expect(told).toEqual(['down, second 0', 'down, second 60', 'down, second 180'])
})

test('says another cause at once', () => {
  const { told, trouble } = reporter()
  trouble.report('refused', new Error('refused'))
  trouble.report('reset', new Error('reset'))
  trouble.report('refused', new Error('refused'))
  expect(told).toEqual(['refused', 'reset'])
})

test('says a cause afresh when it was over in between', () => {
  const { told, trouble } = reporter()
  trouble.report('subscribe:down', new Error('down'))
  trouble.report('call:KILL', new Error('kill'))
  trouble.settle('subscribe:')
  trouble.report('subscribe:down', new Error('down'))
  trouble.report('call:KILL', new Error('kill'))
  expect(told).toEqual(['down', 'kill', 'down'])
})

test('remembers a bounded number of causes', () => {
  const { told, trouble } = reporter()
  for (let round = 0; round < 2; round += 1) {
    for (let cause = 0; cause < 100; cause += 1) trouble.report(`cause ${cause}`, new Error(`cause ${cause}`))
  }
  expect(told.length).toBe(200)
})

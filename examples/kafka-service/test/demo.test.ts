/** Small parts of the demo and of the scheduler program. */
import { describe, expect, test } from 'vitest'
import { planLines } from '../src/demo/display.js'
import { birthOf, parseSockets, processesOf } from '../src/demo/processes.js'
import { Report, renderReport } from '../src/demo/report.js'
import { keyValues, readArguments } from '../src/main.js'

test('listening sockets are read from the tables of the kernel, Java ones inside IPv6 addresses too', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0200007F:4A94 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 621 1 0 100 0 0 10 0',
    '   1: 0000000000000000FFFF00000300007F:4A95 0:0 0A 00000000:00000000 00:00000000 00000000 0 0 777 1 0',
    '   2: 0100007F:0016 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 5 1 0',
  ].join('\n')
  expect(parseSockets(table)).toEqual([
    { address: '127.0.0.2', port: 19_092, inode: '621' },
    { address: '127.0.0.3', port: 19_093, inode: '777' },
  ])
})

test('this process is alive and never its own remains', () => {
  expect(birthOf(process.pid)).toMatch(/^\d+$/)
  expect(processesOf(process.cwd()).map((own) => own.pid)).not.toContain(process.pid)
})

test('the report counts a check that did not hold', () => {
  const lines: string[] = []
  const report = new Report((line) => lines.push(line))
  expect(report.held).toBe(false)
  report.beginStep('read')
  report.check('records', '3', '3')
  expect(report.held).toBe(true)
  report.check('lost', '0', '1')
  expect(report.held).toBe(false)
  expect(lines).toEqual(['ok   records: 3', 'FAIL lost: expected 0, found 1'])
  expect(renderReport(report.rows)).toMatch(/read\s+lost\s+0\s+1\s+0\.0 s\s+FAIL/)
})

test('a plan is one line and one for each step that has begun', () => {
  const step = (name: string, status: string) => ({ name, status })
  const plan = {
    name: 'deploy',
    status: 'IN_PROGRESS',
    phases: [{ name: 'broker', status: 'IN_PROGRESS', steps: [step('broker-0', 'STARTING'), step('broker-1', 'PENDING')] }],
  }
  expect(planLines(plan).map((line) => line.text)).toEqual(['deploy: IN_PROGRESS', 'deploy / broker / broker-0: STARTING'])
})

describe('arguments of the scheduler program', () => {
  test('settings are split at the first equals sign', () => {
    expect(keyValues(['a.b=c=d'])).toEqual({ 'a.b': 'c=d' })
    expect(() => keyValues(['nothing'])).toThrow(/KEY=VALUE/)
  })

  test('a given setting replaces one of the preset', () => {
    const parsed = readArguments(['--kafka-libs', '/libs', '--small', '--broker-setting', 'num.io.threads=4'])
    expect(parsed?.service.brokerSettings).toMatchObject({ 'num.io.threads': '4', 'num.network.threads': '2' })
    expect(parsed?.service.taskFiles).toMatch(/^file:\/\/.*\/tasks$/)
  })

  test.each([[[]], [['--kafka-libs', '/l', '--port', 'x']], [['--kafka-libs', '/l', '--unknown']]])('%j is refused', (args) => {
    expect(() => readArguments(args)).toThrow(TypeError)
  })
})

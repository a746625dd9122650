import { expect, test } from 'vitest'
import type { ServiceStatus } from '../../src/scheduler/report.js'
import { createCoverage } from '../../src/testing/simulation/coverage.js'

test('reasons of a kind are one, whoever and how often they are about; a look counts each kind once', () => {
  const coverage = createCoverage()
  const look = (...reasons: string[]): void => {
    const steps = reasons.map((reason) => ({ name: 'db-0', status: 'PENDING', reason }))
    coverage.onStatus({ plans: [{ reason: 'no connection', phases: [{ steps }] }] } as unknown as ServiceStatus)
  }
  look('waits for the addresses of db-0, db-1', 'waits for the addresses of db-2')
  look('waits for the addresses of kafka-12')
  look('agent 00000000-0000-4000-8000-0000000000ff-S3 offers nothing (missing: cpus 0.5, mem 64)')
  coverage.onStatus(undefined)
  expect(coverage.result(new Map()).waits).toEqual({
    'no connection': 3,
    'waits for the addresses of #': 2,
    'agent # offers nothing (missing: cpus #, mem #)': 1,
  })
})

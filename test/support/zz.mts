import { createMemoryStore } from '../../src/store/memory-store.js'
import { createCountingIds } from '../../src/testing/seeded-ids.js'
import { buildVirtualAgents, createVirtualCluster } from '../../src/testing/virtual-cluster.js'
import { createVirtualScheduler } from '../../src/testing/virtual-scheduler.js'
import { behaveAsSpecified } from '../../src/testing/virtual-tasks.js'
import { renderPlans } from '../../src/scheduler/render-plans.js'
import { checkAcknowledgedIsStored, checkAtMostOne, checkBlocks, checkFootprints, checkIntentStored } from './cluster-checkers.js'
import { databaseSpec, tieredSpec } from './specs.js'

const from = Number(process.argv[2]), to = Number(process.argv[3])
let bad = 0
for (let seed = from; seed <= to; seed++) {
  let rng = seed * 7919
  const chance = () => ((rng = (Math.imul(rng, 1664525) + 1013904223) >>> 0) / 2 ** 32)
  const tiered = seed % 3 === 0
  const [first, second] = tiered ? [tieredSpec('1'), tieredSpec('2')] : [databaseSpec(), databaseSpec({ version: '2' })]
  const problems: string[] = []
  const report = (p: string) => void problems.push(p)
  let faults = true
  const read = (key: string) => { const t = store.dump().get(key); return t === undefined ? undefined : JSON.parse(t) }
  const store = createMemoryStore({ fault: ({ attempt, batch }) => {
    const c = chance()
    const f = !faults || attempt > 1 ? 'none' : c < 0.01 ? 'stopBefore' : c < 0.02 ? 'stopAfter' : c < 0.03 ? 'lostBefore' : c < 0.04 ? 'lostAfter' : 'none'
    if (f.startsWith('stop')) s.crash()
    return f as never
  } })
  const checkers = [checkAtMostOne(report), checkIntentStored(read as never, report), checkAcknowledgedIsStored(read as never, report), checkFootprints((t) => t.endsWith('format'), report)]
  const alive = new Set<string>()
  const cluster = createVirtualCluster({ agents: buildVirtualAgents(4), behave: behaveAsSpecified(first), seed, onLog: (e) => {
    for (const c of checkers) c.onLog?.(e)
    if (e.type === 'processStarted') alive.add(e.process.name)
    if (e.type === 'processEnded') alive.delete(e.process.name)
  } })
  const open = () => Promise.resolve(chance() < 0.7 || !faults ? { open: true, reason: 'open' } : { open: false, reason: 'shut' })
  const s = createVirtualScheduler({ cluster, store, ids: createCountingIds(), hooks: { healthy: open, joined: open, leaderLast: (c) => Promise.resolve([...(c.candidates ?? [])].reverse()) },
    faultOf: () => { const c = chance(); return !faults ? 'none' : c < 0.005 ? 'crash' : c < 0.015 ? 'loseCall' : c < 0.025 ? 'loseAnswer' : 'none' } })
  const hurt = () => cluster.after(2_000 + chance() * 15_000, () => {
    if (!faults) return
    const names = [...alive]
    if (names.length > 0) try { cluster.endTask(names[Math.floor(chance() * names.length)]!, { code: 1 }) } catch {}
    hurt()
  })
  hurt()
  let spec = first
  const go = async (until: () => boolean, limit: number) => {
    const end = cluster.nowMs + limit
    while (cluster.nowMs < end && s.failures.length === 0) {
      if (!s.isRunning) await s.start(spec)
      const ok = await cluster.run(() => !s.isRunning || until(), end - cluster.nowMs)
      if (s.isRunning && ok) return true
      if (s.isRunning) return false
    }
    return false
  }
  let commits = -1, done = false
  const complete = (plan: string) => () => { if (store.commits !== commits) { commits = store.commits; done = read(`plans/${plan}`)?.completedAtMs !== undefined }; return done }
  await s.start(spec)
  await go(() => false, 60_000 + chance() * 120_000)
  if (chance() < 0.5) { faults = false; await go(complete('deploy'), 1_800_000); faults = true; hurt() }
  await s.stop(); spec = second; await s.start(spec)
  await go(() => false, 60_000 + chance() * 200_000)
  faults = false
  commits = -1
  const settled = () => { if (store.commits !== commits) { commits = store.commits; done = (s.status()?.instances ?? []).length > 0 && s.status()!.instances.every((i) => i.ready) && s.status()!.plans.every((p) => p.status === 'COMPLETE') }; return done }
  const ok = await go(settled, 3_600_000)
  if (!ok) report('does not complete: ' + renderPlans(s.status()!))
  problems.push(...s.failures.map(String))
  for (const e of cluster.log) if (e.type === 'requestRefused' && !/stream id|not subscribed/i.test(e.text)) report('refused ' + e.text + e.body.slice(0, 200))
  const v = new Set<string>(); for (const e of cluster.log) if (e.type === 'processStarted' && e.process.name.endsWith('server')) v.add(e.process.name)
  if (seed === from) console.log('launches', cluster.log.filter((e) => e.type === 'processStarted').length, 'subs', cluster.log.filter((e) => e.type === 'callTaken' && e.call.type === 'SUBSCRIBE').length, 'ends', cluster.log.filter((e) => e.type === 'processEnded' && e.cause === 'test').length, cluster.nowMs - 1.8e12)
  if (problems.length > 0) { bad++; console.log(seed, tiered, (cluster.nowMs - 1.8e12) / 1000, [...new Set(problems)].slice(0, 6).join('\n   ')) }
  await s.stop()
}
console.log('bad', bad, 'of', to - from + 1)

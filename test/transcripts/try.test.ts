import { it } from 'vitest'
import { replay } from './replay.js'
import { RECORDED_AGENTS } from './transcript.js'
import { VirtualCluster } from './virtual-cluster.js'
for (const [f,c] of [['11_teardown_with_tasks',0.25],['12_command_tasks_health_kill',0.14],['28_takeover_and_update_framework',0.5],['29_kill_policies',0.5]] as const) it(f,()=>{
  const cluster = new VirtualCluster(Date.parse('2026-11-21T02:00:00Z'))
  for (const agent of RECORDED_AGENTS) cluster.addAgent(agent.hostname, agent)
  cluster.advanceTo(cluster.nowMs + 10)
  replay(f,{ cluster, ids: new Map(), streams: new Map(), seenUuids: new Set() },{cycleAt:c})
})

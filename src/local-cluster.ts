/** `stateward/local-cluster`: a development cluster on one machine that speaks the Mesos v1 scheduler API. */
export { attachLocalCluster, startLocalCluster } from './local-cluster/start.js'
export type { ClusterStatus, LocalAgent, LocalCluster, LocalTask } from './local-cluster/cluster-handle.js'
export type { AcceptedCall } from './local-cluster/master-control.js'
export type { AgentOptions, ClusterTimings, LocalClusterOptions } from './local-cluster/options.js'
export { copyMavenDependencies, defaultCacheDir, type MavenCopy } from './local-cluster/maven.js'
export { startZooKeeper, type ZooKeeperServer, type ZooKeeperServerOptions } from './local-cluster/zookeeper.js'

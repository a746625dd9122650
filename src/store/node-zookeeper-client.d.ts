/** The parts of node-zookeeper-client 1.1.3 that are used here; the package has no types of its own. */
declare module 'node-zookeeper-client' {
  export interface Stat {
    readonly version: number
    readonly numChildren: number
  }
  export interface Failure {
    getCode(): number
    getName(): string
  }
  export type Failed = Failure | null | undefined
  export interface Acl {
    readonly permission: number
    readonly id: Id
  }
  export interface Id {
    readonly scheme: string
    readonly id: string
  }
  export interface OperationResult {
    readonly type: number
    readonly err?: number
  }
  export interface Transaction {
    create(path: string, data: Buffer, acls: readonly Acl[], mode: number): this
    /** Takes version 0 for "any version": never pass 0. */
    setData(path: string, data: Buffer, version?: number): this
    remove(path: string, version?: number): this
    commit(callback: (error: Failed, results?: readonly OperationResult[]) => void): void
  }
  export interface Client {
    connect(): void
    close(): void
    addAuthInfo(scheme: string, auth: Buffer): void
    getSessionTimeout(): number
    on(event: 'state', listener: (state: { readonly name: string; readonly code: number }) => void): this
    create(path: string, data: Buffer, acls: readonly Acl[], mode: number, callback: (error: Failed, path: string) => void): void
    remove(path: string, version: number, callback: (error: Failed) => void): void
    exists(path: string, watcher: (() => void) | undefined, callback: (error: Failed, stat: Stat | null) => void): void
    getData(path: string, watcher: undefined, callback: (error: Failed, data: Buffer | undefined, stat: Stat) => void): void
    getACL(path: string, callback: (error: Failed, acls: readonly Acl[]) => void): void
    getChildren(path: string, watcher: undefined, callback: (error: Failed, children: readonly string[]) => void): void
    transaction(): Transaction
  }
  interface ZooKeeper {
    createClient(servers: string, options: { sessionTimeout: number; spinDelay: number; retries: number }): Client
    readonly ACL: {
      new (permission: number, id: Id): Acl
      readonly OPEN_ACL_UNSAFE: readonly Acl[]
      readonly CREATOR_ALL_ACL: readonly Acl[]
    }
    readonly Id: { readonly ANYONE_ID_UNSAFE: Id; readonly AUTH_IDS: Id }
    readonly Permission: { readonly READ: number; readonly CREATE: number; readonly ALL: number }
    readonly CreateMode: { readonly PERSISTENT: number; readonly EPHEMERAL_SEQUENTIAL: number }
    readonly Exception: Readonly<Record<string, number>>
    readonly State: Readonly<
      Record<'DISCONNECTED' | 'SYNC_CONNECTED' | 'CONNECTED_READ_ONLY' | 'EXPIRED' | 'AUTH_FAILED', { readonly code: number }>
    >
  }
  const zookeeper: ZooKeeper
  export default zookeeper
}

/** The lmdb store over several processes: kills, stops, takeovers and a disk that is full. */
import { execFileSync, spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { open as openLmdb } from 'lmdb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type OpenOptions, type StoreSession } from '../../src/ports/state-store.js'
import { createLmdbStore } from '../../src/store/lmdb-store.js'

const generous = { timeout: 60_000, interval: 10 }

interface Child {
  readonly process: ChildProcessByStdio<null, Readable, null>
  readonly pid: number
  readonly lines: readonly string[]
  /** Numbers of the batches that were confirmed to it. */
  confirmed(): number[]
  kill(): Promise<void>
}

let directory = ''
let children: Child[] = []
let opened: StoreSession[] = []
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'stateward-lmdb-'))
})
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()))
  await Promise.all(opened.map((session) => session.close()))
  children = []
  opened = []
  rmSync(directory, { recursive: true })
})

/** Runs what follows as process 1 of a process and network namespace of its own, as in a container. */
const container = ['unshare', '--pid', '--net', '--kill-child', '--fork', '--mount-proc']
const hasContainers = spawnSync('unshare', [...container.slice(1), 'true']).status === 0

/** A process of its own that holds the lock, and commits `width` batches at a time. */
const start = async (width: number, lockWaitMs = 0, within: readonly string[] = [], keeps = '500'): Promise<Child> => {
  const program = new URL('./lmdb-writer.ts', import.meta.url).pathname
  const node = [process.execPath, '--import', 'tsx', program, directory, String(width), String(lockWaitMs), keeps]
  const [command = '', ...args] = [...within, ...node]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(line))
  const over = Promise.all([once(child, 'exit'), once(reader, 'close')])
  const started: Child = {
    process: child,
    pid: child.pid ?? 0,
    lines,
    confirmed: () => lines.filter((line) => /^\d+$/.test(line)).map(Number),
    kill: async () => {
      child.kill('SIGKILL')
      await over
    },
  }
  children.push(started)
  if (lockWaitMs === 0) await vi.waitFor(() => expect(lines[0]).toMatch(/^holding/), generous)
  return started
}
const open = async (extra: Partial<OpenOptions> = {}): Promise<StoreSession> => {
  const session = await createLmdbStore({ path: directory }).open({ holder: 'test', lockWaitMs: 0, ...extra })
  opened.push(session)
  return session
}
const grown = (child: Child, by: number): Promise<void> => {
  const before = child.confirmed().length
  return vi.waitFor(() => expect(child.confirmed().length).toBeGreaterThan(before + by), generous)
}

test('killed at random moments: every confirmed batch is there, every batch is whole, and the lock is free at once', async () => {
  let next = 0
  for (let round = 1; round <= 15; round += 1) {
    const child = await start(round % 3 === 0 ? 64 : 4)
    await grown(child, 1)
    const pauseMs = Math.random() * 100
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    await child.kill()
    const seen = child.confirmed()
    const told = `round ${round}, killed after ${pauseMs} ms`
    expect(seen, told).toEqual(seen.map((_, index) => next + index))
    const session = await open()
    const { records } = session
    const first = Number(records.get('k/first'))
    expect(first, told).toBeGreaterThanOrEqual(seen.at(-1) ?? 0)
    expect(Number(records.get('k/last')), told).toBe(first)
    const numbers = [...records.keys()].filter((key) => key.startsWith('numbers/'))
    expect(numbers.length, told).toBe(Math.min(500, first + 1))
    for (let number = first; number > first - numbers.length; number -= 1)
      expect(records.get(`numbers/${number}`), told).toBe(String(number).padStart(200))
    await session.close()
    next = first + 1
  }
})

test('a live holder keeps the lock, also one that stands still, and whoever waits has it when the holder is killed', async () => {
  const child = await start(0)
  const holder = `child pid ${child.pid}`
  const refused = { code: 'ERR_LOCK_HELD', details: { holder }, message: expect.stringContaining(holder) as string }
  await expect(open()).rejects.toMatchObject(refused)
  process.kill(child.pid, 'SIGSTOP')
  await expect(open()).rejects.toMatchObject(refused)
  await expect(open({ lockWaitMs: 300 })).rejects.toMatchObject(refused)
  let killed: Promise<void> | undefined
  const session = await open({ lockWaitMs: 60_000, onWaiting: () => void (killed = child.kill()) })
  expect(session.epoch).toBe(2)
  await killed
})

test('a leader that is deposed while it writes can write nothing more, and another process learns it too', async () => {
  const child = await start(4)
  await grown(child, 10)
  const database = openLmdb<Buffer, string>({ path: directory, encoding: 'binary', overlappingSync: false })
  database.removeSync('lock')
  await database.close()
  const session = await open()
  const first = session.records.get('k/first')
  await session.commit([{ key: 'k/mine', value: '1' }])
  await vi.waitFor(() => expect(child.lines).toContain('ended deposed'), generous)
  await vi.waitFor(() => expect(child.lines).toContain('ERR_STORE_DEPOSED'), generous)
  // It tries to lead again, and would as soon as the lock is free.
  await vi.waitFor(() => expect(child.lines.some((line) => line.startsWith('again '))).toBe(true), generous)
  await session.close()
  const after = await open()
  expect(after.records.get('k/first')).toBe(first)
  expect(after.records.get('k/mine')).toBe('1')
  expect(child.confirmed().at(-1)).toBe(Number(first))
})

test('of many processes one leads at a time, and each in the end', async () => {
  const all = await Promise.all(Array.from({ length: 3 }, () => start(0, 60_000)))
  const leads = new Set<Child>()
  for (let turn = 1; turn <= all.length; turn += 1) {
    await vi.waitFor(() => expect(all.flatMap(({ lines }) => lines)).toContain(`holding ${turn}`), generous)
    const leading = all.filter((child) => !leads.has(child) && child.lines.some((line) => line.startsWith('holding')))
    expect(leading).toHaveLength(1)
    for (const child of leading) {
      leads.add(child)
      await child.kill()
    }
  }
})

test('who waited takes over data that has grown far beyond what was there when the wait began', async () => {
  const session = await open()
  const standby = await start(4, 60_000)
  await vi.waitFor(() => expect(standby.lines).toEqual(['waiting']), generous)
  const text = 'x'.repeat(800_000)
  await Promise.all(Array.from({ length: 40 }, (_, index) => session.commit([{ key: `big/${index}`, value: text }])))
  await session.close()
  await grown(standby, 10)
  await standby.kill()
  const { records } = await open()
  expect([...records].filter(([key, value]) => key.startsWith('big/') && value === text)).toHaveLength(40)
})

test.skipIf(!hasContainers)(
  'two containers that share the directory, both as process 1: one leads, the other takes over',
  async () => {
    const first = await start(4, 0, container)
    await grown(first, 10)
    const second = await start(4, 60_000, container)
    await vi.waitFor(() => expect(second.lines).toEqual(['waiting']), generous)
    await expect(open()).rejects.toMatchObject({ code: 'ERR_LOCK_HELD', details: { holder: 'child pid 1' } })
    await grown(first, 10)
    expect(second.lines).toEqual(['waiting'])
    await first.kill()
    await grown(second, 10)
    expect(second.lines[1]).toBe('holding 2')
    expect(second.confirmed()[0]).toBeGreaterThan(first.confirmed().at(-1) ?? 0)
  },
)

/** A disk of 80 MiB; mounting takes root. */
const mountDisk = (at: string) => spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=80m', 'tmpfs', at]).status === 0

test('a full disk: told as away, nothing confirmed is lost, and the session goes on once there is room', async (context) => {
  if (!mountDisk(directory)) return context.skip()
  try {
    const child = await start(8)
    await grown(child, 20)
    const ballast = path.join(directory, 'ballast')
    writeFileSync(ballast, Buffer.alloc(20 * 1024 * 1024))
    await vi.waitFor(() => expect(child.lines.at(-1)).toBe('away'), generous)
    await expect(open()).rejects.toMatchObject({
      code: 'ERR_STORE_UNREACHABLE',
      retryable: true,
      message: expect.stringMatching(/has \d+ bytes left, and 67108864 are needed; make room/) as string,
    })
    const whileFull = child.confirmed().length
    rmSync(ballast)
    await vi.waitFor(() => expect(child.lines).toContain('back'), generous)
    await vi.waitFor(() => expect(child.confirmed().length).toBeGreaterThan(whileFull + 100), generous)
    await child.kill()
    const seen = child.confirmed()
    expect(seen).toEqual(seen.map((_, index) => index))
    const session = await open()
    expect(Number(session.records.get('k/first'))).toBeGreaterThanOrEqual(seen.at(-1) ?? 0)
    await session.close()
  } finally {
    await Promise.all(children.map((child) => child.kill()))
    spawnSync('umount', ['--lazy', directory])
  }
})

test('a write that fails although there is room: nothing confirmed is lost, and the process does not go on with lmdb', async () => {
  // It deletes nothing, so that each batch needs new pages.
  const child = await start(8, 0, [], 'all')
  await grown(child, 20)
  const size = statSync(path.join(directory, 'data.mdb')).size
  execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${size}:unlimited`])
  // lmdb may have damaged its memory so that it does not even get to say so.
  const isOver = () => child.process.signalCode === 'SIGABRT' || child.lines.includes('again ERR_STORE_REFUSED')
  await vi.waitFor(() => expect(isOver()).toBe(true), generous)
  await child.kill()
  const seen = child.confirmed()
  expect(seen).toEqual(seen.map((_, index) => index))
  expect(child.lines).not.toContain('back')
  expect(Number((await open()).records.get('k/first'))).toBeGreaterThanOrEqual(seen.at(-1) ?? 0)
})

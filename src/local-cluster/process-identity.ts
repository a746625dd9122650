/**
 * Who a process id belongs to. Ids are used again, so a pid file alone proves nothing: it is believed only together with the
 * time at which that process began.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** True when a process of this id exists, whoever owns it. */
export function isProcessAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * A text that differs for every process that ever has this id, or nothing when there is none. From `/proc` where it exists
 * (clock ticks since boot, after the boot's own id), else from `ps`.
 */
export function processBirth(pid: number): string | undefined {
  if (!isProcessAlive(pid)) return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in brackets and may itself hold brackets and blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`
  } catch {
    return birthFromPs(pid)
  }
}

function birthFromPs(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return text === '' ? undefined : text
  } catch {
    return undefined
  }
}

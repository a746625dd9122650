/** A process of the cluster ends when the one that started it does, unless it was started to stay. */
export function endWithStarter(isDetached: boolean, end: () => void): void {
  if (isDetached) return
  process.stdin.on('end', end)
  process.stdin.on('close', end)
  process.stdin.on('error', end)
  process.stdin.resume()
}

/**
 * Milliseconds of the processor that work takes in this thread. Unlike the time on the wall, what else the machine does
 * hardly changes it, so a limit on it holds on a busy machine as well.
 */
export function cpuMsOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

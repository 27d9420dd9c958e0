/** Starts one; it tells the wall and CPU seconds since. */
export function stopwatch() {
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { wall: (performance.now() - wall) / 1e3, cpu: (user + system) / 1e6 };
  };
}

/** A clock that steps back by less delays a heartbeat by no more. */
const STEP_MS = 500;
const CHECK_MS = 500;

/** Calls back with how far the wall clock went back, whenever it did. */
export function watchClock(onStep: (backMs: number) => void): NodeJS.Timeout {
  let ahead = Date.now() - performance.now();
  return setInterval(() => {
    const now = Date.now() - performance.now();
    if (now < ahead - STEP_MS) onStep(ahead - now);
    ahead = now;
  }, CHECK_MS);
}

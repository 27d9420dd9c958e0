/** Writes the gradient at `point` and returns the value there. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export interface LbfgsSettings {
  maxIterations: number;
  /** Ends when the gradient's norm is below this share of the first one. */
  tolerance: number;
}

interface Correction {
  step: Float64Array;
  change: Float64Array;
  rho: number;
}

const MEMORY = 8;

/** Minimises a smooth convex function from `point`, in place (Nocedal & Wright, algorithm 7.5, with backtracking). */
export function lbfgs(objective: Objective, point: Float64Array, settings: LbfgsSettings): void {
  let gradient = new Float64Array(point.length);
  let value = objective(point, gradient);
  const enough = settings.tolerance * norm(gradient);
  const corrections: Correction[] = [];
  for (let iteration = 0; iteration < settings.maxIterations && norm(gradient) > enough; iteration++) {
    const direction = descent(gradient, corrections);
    const slope = dot(direction, gradient);
    let size = corrections.length === 0 ? 1 / norm(gradient) : 1;
    const next = new Float64Array(point.length);
    const nextGradient = new Float64Array(point.length);
    let nextValue = Number.POSITIVE_INFINITY;
    for (let halvings = 0; halvings < 30; halvings++, size /= 2) {
      for (let i = 0; i < point.length; i++) next[i] = point[i]! + size * direction[i]!;
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + 1e-4 * size * slope) break;
    }
    if (!(nextValue < value)) return;
    remember(corrections, subtract(next, point), subtract(nextGradient, gradient));
    point.set(next);
    gradient = nextGradient;
    value = nextValue;
  }
}

/** The two-loop recursion: minus the gradient times the approximated inverse Hessian. */
function descent(gradient: Float64Array, corrections: Correction[]): Float64Array {
  const direction = gradient.map((value) => -value);
  const alphas: number[] = [];
  for (const { step, change, rho } of corrections.toReversed()) {
    const alpha = rho * dot(step, direction);
    alphas.push(alpha);
    addScaled(direction, change, -alpha);
  }
  const latest = corrections.at(-1);
  if (latest) {
    const scale = 1 / (latest.rho * dot(latest.change, latest.change));
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  for (const { step, change, rho } of corrections) {
    addScaled(direction, step, alphas.pop()! - rho * dot(change, direction));
  }
  return direction;
}

function remember(corrections: Correction[], step: Float64Array, change: Float64Array): void {
  const curvature = dot(step, change);
  if (curvature <= 1e-12) return;
  corrections.push({ step, change, rho: 1 / curvature });
  if (corrections.length > MEMORY) corrections.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

const norm = (a: Float64Array) => Math.sqrt(dot(a, a));

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function addScaled(to: Float64Array, what: Float64Array, scale: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += scale * what[i]!;
}

/** How far losses in fp32 may be from TRL's, at every step, as a share of them. */
const FP32_TOLERANCE = 0.002;

/** The estimate must not be below the measured peak, nor so far above it that what fits is refused. */
const LARGEST_ESTIMATE = 1.6;

/**
 * What makes a speed not count: other losses than TRL's, or a peak that was estimated wrongly. At a learning rate of 5e-7
 * what bf16 rounds is a large part of what a step changes, in TRL too: ours must be no farther from TRL's fp32 than its own
 * autocast is. For long prompts there is no fp32 to compare with, and two roundings are up to twice as far apart.
 * @param {Record<string, { own?: any, peer?: any }>} figures
 * @returns {string[]}
 */
export function checkFigures({ fp32, lora, bf16, long, ...others }) {
  const truth = fp32?.peer?.losses;
  const rounding = apart(bf16?.peer?.losses, truth);
  return [
    ...lossProblem('fp32', fp32?.own, truth, FP32_TOLERANCE),
    ...lossProblem('lora', lora?.own, lora?.peer?.losses, FP32_TOLERANCE),
    ...lossProblem('bf16', bf16?.own, truth, rounding),
    ...lossProblem('long', long?.own, long?.peer?.losses, 2 * rounding),
    ...Object.entries({ fp32, lora, bf16, long, ...others }).flatMap(([name, of]) => peakProblem(name, of?.own)),
  ];
}

function lossProblem(name, own, theirs, tolerance) {
  if (!own || !theirs) return []; // what could not be run is a failure already
  const far = apart(own.losses, theirs);
  const [found, allowed] = [far, tolerance].map((share) => `${(100 * share).toFixed(2)} %`);
  const text = `${name}: losses ${list(own.losses)}, TRL's ${list(theirs)}, up to ${found} apart`;
  console.log(`  ${text} (at most ${allowed})`);
  // Not a number is not within it.
  return far <= tolerance ? [] : [`${text}, more than ${allowed}`];
}

/** Over the steps that both made. */
function apart(losses, theirs) {
  if (!losses || !theirs) return Number.NaN;
  const steps = Math.min(losses.length, theirs.length);
  return Math.max(...losses.slice(0, steps).map((loss, step) => Math.abs(loss / theirs[step] - 1)));
}

function peakProblem(name, own) {
  if (!own) return [];
  const { peakBytes, estimatedBytes } = own;
  const ratio = estimatedBytes / peakBytes;
  if (ratio >= 1 && ratio <= LARGEST_ESTIMATE) return [];
  const [estimated, measured] = [estimatedBytes, peakBytes].map((bytes) => (bytes / 2 ** 30).toFixed(2));
  return [`${name}: a peak of ${estimated} GiB was estimated, ${measured} were measured`];
}

const list = (losses) => losses.map((loss) => loss.toFixed(4)).join(' ');

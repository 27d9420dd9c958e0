/**
 * How far our losses may be from TRL's, at every step, as a share of them. bf16 is compared with TRL in fp32, the truth
 * for both; only for long prompts with its autocast, which by itself is up to 5 % away from that.
 */
const LOSS_TOLERANCE = { fp32: 0.002, lora: 0.002, bf16: 0.02, long: 0.05 };
const LOSSES_OF = { fp32: 'fp32', lora: 'lora', bf16: 'fp32', long: 'long' };

/** The estimate must not be below the measured peak, nor so far above it that what fits is refused. */
const LARGEST_ESTIMATE = 1.6;

/**
 * What makes a speed not count: other losses than TRL's, or a peak that was estimated wrongly.
 * @param {Record<string, { own?: any, peer?: any }>} figures
 * @returns {string[]}
 */
export function checkFigures(figures) {
  return Object.keys(LOSS_TOLERANCE).flatMap((name) => {
    const own = figures[name]?.own;
    const peer = figures[LOSSES_OF[name]]?.peer;
    return [...(own && peer ? lossProblem(name, own.losses, peer.losses) : []), ...(own ? peakProblem(name, own) : [])];
  });
}

function lossProblem(name, own, theirs) {
  const far = Math.max(...own.map((loss, step) => Math.abs(loss / theirs[step] - 1)));
  const text = `${name}: losses ${list(own)}, TRL's ${list(theirs)}, up to ${(100 * far).toFixed(2)} % apart`;
  console.log(`  ${text}`);
  // Not a number is not within it.
  return far <= LOSS_TOLERANCE[name] ? [] : [`${text}, more than ${100 * LOSS_TOLERANCE[name]} %`];
}

function peakProblem(name, { peakBytes, estimatedBytes }) {
  const ratio = estimatedBytes / peakBytes;
  if (ratio >= 1 && ratio <= LARGEST_ESTIMATE) return [];
  const [estimated, measured] = [estimatedBytes, peakBytes].map((bytes) => (bytes / 2 ** 30).toFixed(2));
  return [`${name}: a peak of ${estimated} GiB was estimated, ${measured} were measured`];
}

const list = (losses) => losses.map((loss) => loss.toFixed(4)).join(' ');

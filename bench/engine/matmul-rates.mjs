// This machine's limit: GFLOP a CPU second of square matrix products, in fp32 and bf16, as one JSON line.
import { cast, matMul } from '../../dist/src/model/ops.js';
import { tf } from '../../dist/src/model/tf.js';

const SIZE = 2048;
const TIMES = 5;

/** Best of several: what disturbs only slows down. */
function rate(dtype) {
  const [a, b] = tf.tidy(() => [0, 1].map(() => cast(tf.randomNormal([SIZE, SIZE]), dtype)));
  const seconds = Array.from({ length: TIMES + 1 }, () => {
    const before = process.cpuUsage();
    matMul(a, b).dispose();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  tf.dispose([a, b]);
  return (2 * SIZE ** 3) / 1e9 / Math.min(...seconds.slice(1));
}

console.log(JSON.stringify({ fp32: rate('fp32'), bf16: rate('bf16') }));

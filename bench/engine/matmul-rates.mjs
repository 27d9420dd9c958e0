// This machine's limit: GFLOP a CPU second of square matrix products, in fp32 and bf16, as one JSON line.
import { MAT_MULS } from '../../dist/src/model/mat-mul.js';
import { tf } from '../../dist/src/model/tf.js';

const SIZE = 2048;
const TIMES = 5;

/** Best of several: what disturbs only slows down. */
function rate(matMul) {
  const [a, b] = [tf.randomNormal([SIZE, SIZE]), tf.randomNormal([SIZE, SIZE])];
  const seconds = Array.from({ length: TIMES + 1 }, () => {
    const before = process.cpuUsage();
    matMul(a, b).dispose();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  tf.dispose([a, b]);
  return (2 * SIZE ** 3) / 1e9 / Math.min(...seconds.slice(1));
}

console.log(JSON.stringify({ fp32: rate(MAT_MULS.fp32), bf16: rate(MAT_MULS.bf16) }));

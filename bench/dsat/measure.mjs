import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

/**
 * What one process needs to classify the exchanges, which it is sent a few at a time.
 * @param {'first-stage' | 'cascade'} what
 */
export async function measure(what, exchanges) {
  const worker = spawn(process.execPath, [WORKER, what], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(worker, 'exit');
  let said = '';
  worker.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  worker.stdin.on('error', () => {}); // the exit code says why
  for (const exchange of exchanges) {
    if (!worker.stdin.write(`${JSON.stringify(exchange)}\n`)) {
      await Promise.race([once(worker.stdin, 'drain'), exited]);
    }
  }
  worker.stdin.end();
  const [code] = await exited;
  if (code !== 0) throw new Error(`measuring the ${what} ended with ${code}`);
  return JSON.parse(said);
}

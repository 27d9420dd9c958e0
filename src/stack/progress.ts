const FIRST_MS = 2_000;
const EVERY_MS = 5_000;

/** Says on stderr what is going on once it takes longer than two seconds, and every five from then on. */
export async function withProgress<T>(doing: string, run: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const say = () => {
    console.error(`… ${doing} (${Math.round((Date.now() - started) / 1_000)} s)`);
    timer = setTimeout(say, EVERY_MS);
  };
  let timer = setTimeout(say, FIRST_MS);
  try {
    return await run();
  } finally {
    clearTimeout(timer);
  }
}

import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/** `preferred` while nobody listens there, else a free port that is none of `taken`. */
export async function choosePort(preferred: number | undefined, taken: number[] = []): Promise<number> {
  if (preferred !== undefined && !taken.includes(preferred) && (await isFree(preferred))) return preferred;
  for (;;) {
    const port = await listen(0);
    if (port !== undefined && !taken.includes(port)) return port;
  }
}

export async function isFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined;
}

async function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, HOST, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}

import { type Command, InvalidArgumentError } from 'commander';

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number above 0.');
  return value;
}

export function register(program: Command): void {
  program
    .command('quickstart')
    .description('run the whole loop once on real chat logs: replay, classify, train, publish')
    .option('--conversations <n>', 'how many conversations to replay', count, 2000)
    .option('--keep', 'leave the servers and the service running')
    .action(async (options: { conversations: number; keep?: boolean }) => {
      const { loadConfig } = await import('../config/config.js');
      const { quickstart } = await import('./quickstart/quickstart.js');
      await quickstart(loadConfig(), { conversations: options.conversations, keep: options.keep ?? false });
    });
}

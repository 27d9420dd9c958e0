import { Command } from 'commander';
import { DriftError } from '../drift-error.js';

/** What a process says when it ends. */
export const EXIT = { done: 0, failed: 1, usage: 2, nothingToDo: 3 } as const;

/** Each file beside this one registers one command (`x.command.ts`), and imports what it runs only when it runs. */
const COMMANDS = [
  () => import('./quickstart.command.js'),
  () => import('./migrate.command.js'),
  () => import('./stack.command.js'),
  () => import('./serve.command.js'),
  () => import('./replay.command.js'),
  () => import('./dlq.command.js'),
  () => import('./anchors.command.js'),
  () => import('./rubric.command.js'),
  () => import('./reviews.command.js'),
  () => import('./erase.command.js'),
  () => import('./runs.command.js'),
  () => import('./train.command.js'),
  () => import('./policies.command.js'),
  () => import('./models.command.js'),
  () => import('./engine.command.js'),
  () => import('./evaluate.command.js'),
  () => import('./reclassify.command.js'),
  () => import('./score.command.js'),
  () => import('./dpo.command.js'),
];

export async function createProgram(): Promise<Command> {
  const program = new Command('driftloop')
    .description('Learns from the dissatisfaction that users voice in live chats.')
    .version('0.1.0')
    // So that a command may have a `--version` of its own.
    .enablePositionalOptions()
    .showHelpAfterError()
    .exitOverride();
  for (const load of COMMANDS) (await load()).register(program);
  return program;
}

/** The exit code of a failure. */
export function exitCodeOf(error: unknown): number {
  const usage = error instanceof DriftError && (error.code === 'usage' || error.code === 'config-invalid');
  return usage ? EXIT.usage : EXIT.failed;
}

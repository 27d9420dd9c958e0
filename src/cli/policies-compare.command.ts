import type { Command } from 'commander';
import { atLeastOne } from './at-least-one.js';
import type { CompareOptions } from './policies-compare.action.js';

export function registerCompare(parent: Command): void {
  parent
    .command('compare')
    .description('replies of two versions to held-out anchors, side by side')
    .argument('<a>', 'a version, or base')
    .argument('<b>', 'a version, or base')
    .option('--anchors <count>', 'at most so many held-out anchors', atLeastOne, 8)
    .option('--json', 'one JSON object a line')
    .action(async (a: string, b: string, options: CompareOptions) => {
      const { compare } = await import('./policies-compare.action.js');
      await compare([a, b], options);
    });
}

import type { Command } from 'commander';
import { atLeastOne } from './at-least-one.js';

interface CompareOptions {
  anchors: number;
  json?: boolean;
}

export function registerCompare(parent: Command): void {
  parent
    .command('compare')
    .description('replies of two versions to held-out anchors, side by side')
    .argument('<a>', 'a version, or base')
    .argument('<b>', 'a version, or base')
    .option('--anchors <count>', 'at most so many held-out anchors', atLeastOne, 8)
    .option('--json', 'one JSON object a line')
    .action(async (a: string, b: string, { anchors, json }: CompareOptions) => {
      const { runCompare } = await import('../policy/run-compare.js');
      const { renderComparison } = await import('../policy/compare-versions.js');
      for (const comparison of await runCompare([a, b], anchors)) {
        console.log(json ? JSON.stringify(comparison) : renderComparison(comparison));
      }
    });
}

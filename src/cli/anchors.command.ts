import { type Command, Option } from 'commander';
import { ANCHOR_ORIGINS, ANCHOR_STATES } from '../anchor/anchor.js';
import type { AnchorDecision } from '../anchor/decide-anchors.js';
import { RUBRICS } from '../dsat/verdict.js';
import type {
  DecideOptions,
  ExportOptions,
  ImportOptions,
  ListOptions,
  QuarantineOptions,
  ShowOptions,
} from './anchors.action.js';
import { atLeastOne } from './at-least-one.js';

export function register(program: Command): void {
  const anchors = program
    .command('anchors')
    .description('look at the dissatisfaction that was found, decide what is trained on, import preference data');
  select(anchors.command('list').description('anchors, newest first'), 20)
    .option('--json', 'one JSON object a line')
    .action(async (options: ListOptions) => (await import('./anchors.action.js')).list(options));
  anchors
    .command('show')
    .description('one anchor: the conversation, the reply that displeased, what the user said')
    .argument('<id>')
    .option('--json', 'one JSON object')
    .action(async (id: string, options: ShowOptions) => (await import('./anchors.action.js')).show(id, options));
  select(anchors.command('export').description('anchors as TRL preference JSONL: prompt, rejected, feedback'))
    .option('--out <file>', 'write to this file, which appears when it is whole; stdout without it')
    .action(async (options: ExportOptions) => (await import('./anchors.action.js')).exportAnchors(options));
  anchors
    .command('import')
    .description(
      "rejected replies of preference JSONL (UltraFeedback's binarized form, TRL's) as anchors of their own origin",
    )
    .argument('<file>')
    .option('--source <name>', 'name of the data; that of the file without it')
    .option('--limit <count>', 'at most so many lines', atLeastOne)
    .option('--json', 'end with the counts as one JSON object')
    .action(async (file: string, options: ImportOptions) =>
      (await import('./anchors.action.js')).importFile(file, options),
    );
  anchors
    .command('quarantine')
    .description('put near-duplicate bursts aside, which every run does with those that are new to it')
    .option('--json', 'one JSON object a burst')
    .action(async (options: QuarantineOptions) => (await import('./anchors.action.js')).quarantine(options));
  decide(anchors, 'release', 'make quarantined or retired anchors active again: no burst takes them any more');
  decide(anchors, 'retire', 'leave anchors out of every run to come');
}

function decide(anchors: Command, decision: AnchorDecision, description: string): void {
  anchors
    .command(decision)
    .description(description)
    .argument('<id...>')
    .requiredOption('--why <reason>', 'kept with the anchors and in the audit log')
    .action(async (ids: string[], options: DecideOptions) =>
      (await import('./anchors.action.js')).decide(decision, ids, options),
    );
}

function select(command: Command, limit?: number): Command {
  return command
    .addOption(new Option('--state <state>', 'only these').choices(ANCHOR_STATES))
    .addOption(
      new Option('--origin <origin>', 'what users said, or what was imported')
        .choices(ANCHOR_ORIGINS)
        .default('observed'),
    )
    .addOption(new Option('--rubric <rubric>', 'only these').choices(RUBRICS))
    .option('--limit <count>', 'at most so many', atLeastOne, limit);
}

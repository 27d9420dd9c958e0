import { Gauge } from 'prom-client';

/** 1 while the others of this file are there. */
export const databaseUp = new Gauge({
  name: 'driftloop_database_up',
  help: '1 if PostgreSQL answered at this scrape; at 0 all that is read from it is absent.',
});

const clearers: (() => void)[] = [];

/** Makes the gauges absent. A gauge without labels would otherwise stay, at 0. */
export function clearGauges(): void {
  for (const clear of clearers) clear();
}

function gauge<T extends string>(name: string, help: string, labelNames: T[] = []): Gauge<T> {
  const made = new Gauge({ name: `driftloop_${name}`, help, labelNames });
  const clear = labelNames.length > 0 ? () => made.reset() : () => made.remove();
  clearers.push(clear);
  clear();
  return made;
}

export const anchors = gauge('anchors', 'Stored anchors, by state.', ['state']);
export const seedPairs = gauge('seed_pairs', 'Stored seed pairs.');
export const provisionalVerdicts = gauge('provisional_verdicts', 'Verdicts that wait for the second stage.');
export const judgeTokens = gauge(
  'judge_tokens_today',
  'Tokens that language models that judge used today (UTC), with what is put aside for requests on their way.',
);

export const runs = gauge('runs', 'Training runs, by status.', ['status']);
export const runInfo = gauge('run_info', 'Always 1; the labels describe the latest run.', ['run', 'preset', 'status']);
export const runStart = gauge('run_start_time_seconds', 'When the latest run started, Unix time.');
export const runEnd = gauge('run_end_time_seconds', 'When the latest run ended, Unix time; absent while it runs.');
export const runSuccess = gauge('run_last_success_time_seconds', 'When a run last ended well, Unix time.');

/** Of the latest run; iteration 0 is the warm start. */
const perIteration = (name: string, help: string) => gauge(`training_${name}`, help, ['iteration']);
export const steps = perIteration(
  'steps',
  'Optimizer updates so far in an iteration of the latest run; 0 is the warm start.',
);
export const meanLoss = perIteration('loss', 'Mean loss over the steps of an iteration of the latest run.');
export const lastStep = {
  loss: perIteration('last_step_loss', 'Loss of the last step of an iteration of the latest run.'),
  margin: perIteration('last_step_margin', 'Mean margin of the batch of the last step.'),
  chosenReward: perIteration('last_step_chosen_reward', 'Mean chosen reward of the batch of the last step.'),
  rejectedReward: perIteration('last_step_rejected_reward', 'Mean rejected reward of the batch of the last step.'),
  accuracy: perIteration('last_step_accuracy_ratio', 'Share of the batch of the last step with a margin above 0.'),
  gradNorm: perIteration('last_step_gradient_norm', 'Global gradient norm of the last step, before clipping.'),
};

/**
 * Of the latest run. Split `train`: the iteration's pairs, each as it was when its batch came; `held_out`: the held-out
 * pairs against the policy that the run began with; `rescored`, in the last iteration: the pairs of all iterations,
 * against that policy too.
 */
const evaluated = (name: string, help: string) => gauge(`training_${name}`, help, ['iteration', 'split']);
export const margin = evaluated(
  'margin',
  'Mean margin after an iteration of the latest run, by split of its pairs: train, held_out, rescored.',
);
export const marginQuantile = gauge(
  'training_margin_quantile',
  'Quantiles 0.1, 0.5 and 0.9 of the margin over pairs.',
  ['iteration', 'split', 'quantile'],
);
export const chosenReward = evaluated('chosen_reward', 'Mean chosen reward after an iteration of the latest run.');
export const rejectedReward = evaluated(
  'rejected_reward',
  'Mean rejected reward after an iteration of the latest run.',
);
export const accuracy = evaluated(
  'accuracy_ratio',
  'Share of pairs with a margin above 0 after an iteration of the latest run.',
);

/** Of the latest run, before an iteration's pairs are trained on, as the reply judge expects. */
export const replies = {
  improved: perIteration('improved_ratio', 'Share of pairs whose chosen the reply judge prefers to rejected.'),
  chosenDispleases: perIteration('chosen_displeases_ratio', 'Mean probability that chosen displeases.'),
  rejectedDispleases: perIteration('rejected_displeases_ratio', 'Mean probability that rejected displeases.'),
};

export const policyVersions = gauge('policy_versions', 'Policy versions, by status.', ['status']);
export const policyNumber = gauge('policy_version_number', 'Number of the latest published policy version.');
export const policyCreated = gauge(
  'policy_created_time_seconds',
  'When the latest published version was made, Unix time.',
);

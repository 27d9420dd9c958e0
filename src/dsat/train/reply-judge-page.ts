import type { ReplyFigures, TrainedReplyJudge } from './reply-judge.js';

const three = (value: number) => value.toFixed(3);

/** `docs/reply-judge.md`: what the reply judge is, and how little it knows. */
export function replyJudgePage(judge: Omit<TrainedReplyJudge, 'model'> & { version: string; bytes: number }): string {
  const { figures, withFeedback, intervals95, version, bytes, replies, conversations } = judge;
  const [apLow, apHigh] = intervals95.averagePrecision;
  const [aucLow, aucHigh] = intervals95.auc;
  return `# The reply judge

*Written by \`npm run train:dsat\`; change \`src/dsat/train/reply-judge-page.ts\` instead.*

A fresh reply has no next user turn, which the classifier of verdicts reads. The reply judge expects how the user will take it:
\`score\` gives P(displeases) of prompt and reply, and \`prefer\` says which of two replies is expected to please more. \`feedback\`
is what the user said of an earlier reply to the same prompt.

## Embedded

A logistic regression over hashed words of prompt, reply and feedback, how they open, and fifteen signals (lengths, how much of
the prompt or of the complaint the reply takes up, code, errors, an apology, a cut end, a refusal). Version \`${version}\`, ${bytes}
bytes, trained on the same ${replies} labels of ${conversations} conversations as [the classifier](dsat.md), without the labelled turns themselves.

**It knows little**: what a user will say hardly shows in the reply. Measured like the classifier, by 5-fold cross-validation over
conversations, on the turns drawn at natural rates, each with the calibration of the other folds:

| | replies | displeased | average precision | area under ROC | calibration error | average precision, sure labels |
| --- | --- | --- | --- | --- | --- | --- |
| all | ${row(figures)} |
| answers to a complaint, with feedback | ${row(withFeedback)} |

Guessing has an average precision of ${three(figures.baseRate)} and an area of 0.5. 95 % intervals (bootstrap over conversations): ${three(apLow)} to ${three(apHigh)}, and
${three(aucLow)} to ${three(aucHigh)}. So of two replies to different prompts it puts the one that displeased first in ${Math.round(figures.auc * 100)} of 100 cases. How often it
is right about two replies to the same prompt is not known: nobody labelled such pairs, and much of what it goes by is the prompt,
which they share. Take its figures for a trend over hundreds of pairs, not for a judgement of one. The second row has too few
replies to say more than that they displease more often.

## A language model

With \`--reply-judge llm\` a run asks the model of \`DRIFTLOOP_JUDGE_URL\` ([judge](dsat-judge.md): time, tries and the day's tokens are
the same). Pointwise it answers the probability in percent; pairwise which of two it would rather have had, asked in both orders: a
preference counts only where both agree, since models favour a place. Its accuracy is not measured here, for it depends on the
model. Texts are the stored, redacted ones and the samples.

## What it is used for

Before an iteration trains on its pairs, the \`pair\` stage stores \`replies\`: \`improved\`, the share of pairs whose chosen it prefers to
rejected (the rate of improvement in DRIFT's theory), and \`chosenDispleases\` and \`rejectedDispleases\`, the mean probabilities
(\`driftloop_training_improved_ratio\`, \`driftloop_training_chosen_displeases_ratio\`, \`driftloop_training_rejected_displeases_ratio\`).
Chosen that is expected to displease as much as rejected, while the margin grows, is the sign of reward hacking. No pair is refused
for it, and a language model that is down or over budget only leaves the figures out.
`;
}

function row(figures: ReplyFigures): string {
  const { replies, baseRate, averagePrecision, auc, ece, averagePrecisionHighConfidence } = figures;
  return [replies, ...[baseRate, averagePrecision, auc, ece, averagePrecisionHighConfidence].map(three)].join(' | ');
}

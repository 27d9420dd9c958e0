import type { CorpusConversation } from '../../chat-log/sharegpt-corpus.js';
import { calibrate } from '../decide-verdict.js';
import { bootstrapInterval } from '../evaluation/bootstrap.js';
import { averagePrecision, calibrationError, type Scored } from '../evaluation/metrics.js';
import { FeatureVector } from '../feature-vector.js';
import { quantise } from '../linear-output.js';
import { replyFeatures } from '../reply-judge/reply-features.js';
import type { FreshReply } from '../reply-judge/reply-judge.js';
import type { Calibration, StageModel } from '../stage-model.js';
import { FOLDS, foldOf, outOfFoldScores, type Problem, train } from './cross-validation.js';
import { fitCalibration } from './fit-calibration.js';
import type { LabelledExchange } from './labelled-exchanges.js';
import { copyRow } from './logistic-regression.js';

const BITS = 16;
export const REPLY_L2 = 1.5;

/** A labelled turn as the reply judge sees it: without that turn. */
export interface LabelledReply extends FreshReply {
  conversation: string;
  displeased: boolean;
  sure: boolean;
  natural: boolean;
}

export interface TrainedReplyJudge {
  model: StageModel;
  figures: ReplyFigures;
  /** Of replies to a prompt whose earlier reply is known to have displeased, and how. */
  withFeedback: ReplyFigures;
  intervals95: { averagePrecision: [number, number]; auc: [number, number] };
  replies: number;
  conversations: number;
}

export interface ReplyFigures {
  replies: number;
  /** Share that displeased: the average precision of guessing. */
  baseRate: number;
  averagePrecision: number;
  /** How often of two replies the one that displeased has the higher score; 0.5 is guessing. */
  auc: number;
  ece: number;
  /** Average precision on labels that were given with high confidence. */
  averagePrecisionHighConfidence: number;
}

/**
 * Of each labelled turn the prompt and the reply. Where the prompt was itself a complaint that has a label, it is the
 * feedback, and the prompt is what it complained about.
 */
export function labelledReplies(turns: LabelledExchange[], corpus: CorpusConversation[]): LabelledReply[] {
  const dsatTurns = new Set(turns.filter(({ label }) => label === 'dsat').map(keyOf));
  const turnsOf = new Map(corpus.map((conversation) => [conversation.id, conversation.turns]));
  return turns.map((turn) => {
    const { conversation, label, confidence, stratum, exchange } = turn;
    const facts = { displeased: label === 'dsat', sure: confidence === 'high', natural: stratum === 'random' };
    const complaint = { conversation, turn: turn.turn - 2 };
    const before = turnsOf.get(conversation)!.slice(0, Math.max(0, complaint.turn - 1));
    const asked = dsatTurns.has(keyOf(complaint)) && before.findLast(({ role }) => role === 'user');
    const texts = asked ? { prompt: asked.content, feedback: exchange.prompt } : { prompt: exchange.prompt };
    return { conversation, ...facts, ...texts, reply: exchange.reply };
  });
}

const keyOf = ({ conversation, turn }: { conversation: string; turn: number }) => `${conversation} ${turn}`;

/** Trains on all replies; measures out of fold, on those drawn at natural rates. */
export function trainReplyJudge(replies: LabelledReply[], l2 = REPLY_L2): TrainedReplyJudge {
  const problem = problemOf(replies, l2);
  const scores = outOfFoldScores(problem, () => {});
  const natural = replies.flatMap((reply, at) =>
    reply.natural ? [{ ...reply, fold: problem.folds[at]!, scores: scores[at]! }] : [],
  );
  const calibration = fitOn(natural);
  const measured = crossFitted(natural);
  const { classes, weights, bias } = train(problem);
  return {
    model: modelOf(quantise(classes, weights, bias), calibration),
    figures: figuresOf(measured),
    withFeedback: figuresOf(measured.filter(({ feedback }) => feedback !== undefined)),
    intervals95: {
      averagePrecision: bootstrapInterval(measured, averagePrecision),
      auc: bootstrapInterval(measured, areaUnderRoc),
    },
    replies: replies.length,
    conversations: new Set(replies.map(({ conversation }) => conversation)).size,
  };
}

/** A label given with low confidence counts in part as not known. */
const DOUBT = 0.2;

function problemOf(replies: LabelledReply[], l2: number): Problem {
  const vector = new FeatureVector(BITS);
  const examples = replies.map((reply) => {
    replyFeatures(reply, vector);
    const doubt = reply.sure ? 0 : DOUBT;
    const displeases = reply.displeased ? 1 - doubt : doubt;
    return { row: copyRow(vector), target: [displeases, 1 - displeases], weight: reply.natural ? 2 : 1 };
  });
  const folds = replies.map(({ conversation }) => foldOf(conversation));
  return { examples, folds, classes: 2, buckets: vector.buckets, l2 };
}

type ScoredReply = LabelledReply & { fold: number; scores: Float64Array };

const fitOn = (replies: ScoredReply[]): Calibration =>
  fitCalibration(
    replies.map(({ scores, displeased }) => ({ scores, target: displeased ? 0 : 1 })),
    2,
  );

/** Each reply with the calibration of the other folds. */
function crossFitted(replies: ScoredReply[]): (LabelledReply & Scored)[] {
  const fitted = Array.from({ length: FOLDS }, (_, fold) => fitOn(replies.filter((reply) => reply.fold !== fold)));
  return replies.map(({ scores, fold, ...reply }) => ({
    ...reply,
    positive: reply.displeased,
    score: calibrate(scores.slice(), fitted[fold]!)[0]!,
  }));
}

function figuresOf(replies: (LabelledReply & Scored)[]): ReplyFigures {
  return {
    replies: replies.length,
    baseRate: replies.filter(({ positive }) => positive).length / replies.length,
    averagePrecision: averagePrecision(replies),
    auc: areaUnderRoc(replies),
    ece: calibrationError(replies),
    averagePrecisionHighConfidence: averagePrecision(replies.filter(({ sure }) => sure)),
  };
}

/** Mann-Whitney: ties count half. */
export function areaUnderRoc(scored: Scored[]): number {
  const sorted = scored.toSorted((a, b) => a.score - b.score);
  const positives = scored.filter(({ positive }) => positive).length;
  let ranks = 0;
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    while (to < sorted.length && sorted[to]!.score === sorted[from]!.score) to++;
    // Ranks count from 1; equal scores share their mean rank.
    const tied = sorted.slice(from, to).filter(({ positive }) => positive).length;
    ranks += tied * ((from + 1 + to) / 2);
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (scored.length - positives));
}

function modelOf(labels: StageModel['labels'], calibration: Calibration): StageModel {
  const none = { classes: 0, bias: [], scales: [], weights: new Int8Array() };
  return {
    ...{ bits: BITS, frequentTokens: [], labels, rubrics: none, calibration, band: null, encoder: null },
    decision: { dsat: 0.5, sat: 1 },
  };
}

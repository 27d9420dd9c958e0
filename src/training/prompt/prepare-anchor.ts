import type { AnchorCase } from '../../anchor/anchor.js';
import { DriftError } from '../../drift-error.js';
import { completionBudget, type RunSettings } from '../settings.js';
import { barePrompt, type Prompt } from './bare-prompt.js';
import { guidedPrompt } from './guided-prompt.js';
import { hasSpecialTokens, type PromptTokenizer } from './shorten.js';

export const DROP_REASONS = [
  'empty',
  'no-request',
  'special-tokens',
  'prompt-too-long',
  'feedback-too-long',
  'template-refused',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** A completion as it enters a pair. */
export interface BoundedReply {
  /** With EOS, unless it was cut. */
  ids: number[];
  /** Without EOS. */
  text: string;
  cut: boolean;
}

/** An anchor in tokens: what chosen is sampled from, and what of its pair is known already. */
export interface PreparedAnchor {
  anchorId: string;
  promptIds: number[];
  samplingPromptIds: number[];
  /** How chosen is sampled: without feedback there is nothing to guide by. */
  mode: RunSettings['sampling'];
  rejected: BoundedReply;
  /** Most tokens of chosen and rejected. */
  budget: number;
  /** Request and feedback as text. */
  asked: string;
}

export type Preparation = { outcome: 'ready'; anchor: PreparedAnchor } | { outcome: 'dropped'; reason: DropReason };

export type AnchorTexts = Pick<AnchorCase, 'id' | 'prompt' | 'rejected' | 'feedback'>;

export function prepareAnchor(
  tokenizer: PromptTokenizer,
  texts: AnchorTexts,
  settings: RunSettings,
  mode: RunSettings['sampling'],
): Preparation {
  const { prompt, rejected, feedback } = texts;
  if (rejected.trim() === '' || feedback?.trim() === '') return { outcome: 'dropped', reason: 'empty' };
  const everything = [...prompt.map(({ content }) => content), rejected, feedback ?? ''].join('\n');
  if (hasSpecialTokens(tokenizer, everything)) return { outcome: 'dropped', reason: 'special-tokens' };
  try {
    const bare = barePrompt(tokenizer, prompt, settings.promptTokens);
    if (bare.outcome === 'refused') return { outcome: 'dropped', reason: bare.reason };
    const guided = mode === 'guided' && feedback !== null;
    const sampling = guided ? guidedPrompt(tokenizer, { ...texts, feedback }, settings.guidedPromptTokens) : bare;
    if (sampling.outcome === 'refused') return { outcome: 'dropped', reason: sampling.reason };
    return {
      outcome: 'ready',
      anchor: ready(tokenizer, texts, settings, bare, { ...sampling, mode: guided ? 'guided' : 'unguided' }),
    };
  } catch (error) {
    if (error instanceof DriftError && error.code === 'model-invalid')
      return { outcome: 'dropped', reason: 'template-refused' };
    throw error;
  }
}

type Fits = Extract<Prompt, { outcome: 'fits' }>;

function ready(
  tokenizer: PromptTokenizer,
  { id, prompt, rejected, feedback }: AnchorTexts,
  settings: RunSettings,
  bare: Fits,
  sampling: Fits & Pick<PreparedAnchor, 'mode'>,
): PreparedAnchor {
  const budget = completionBudget(settings, bare.ids.length);
  return {
    anchorId: id,
    promptIds: bare.ids,
    samplingPromptIds: sampling.ids,
    mode: sampling.mode,
    rejected: boundReply(tokenizer, rejected, budget),
    budget,
    asked: [prompt.at(-1)?.content, feedback].filter((text) => text != null).join('\n'),
  };
}

/** A reply given as text, ended by EOS where that still fits the budget and cut to it where not. */
export function boundReply(tokenizer: PromptTokenizer, text: string, budget: number): BoundedReply {
  const ids = tokenizer.encode(text);
  if (ids.length < budget) return { ids: [...ids, tokenizer.eosIds[0]!], text, cut: false };
  const kept = ids.slice(0, budget);
  return { ids: kept, text: tokenizer.decode(kept), cut: true };
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readShareGptCorpus } from '../../chat-log/sharegpt-corpus.js';
import { readLabelRecords } from '../../cli/records/label-records.js';
import { loadConfig } from '../../config/config.js';
import { requireAsset } from '../../stack/assets.js';
import { STAGE_FILES } from '../cascade.js';
import { ENCODER_FILES } from '../encoder/encoder-session.js';
import { encodeStage } from '../stage-model.js';
import { cardOf, type TrainedCard } from './card.js';
import { modelCardPage } from './card-page.js';
import { readEncoder, trainEncoder } from './encoder-training.js';
import { frequentTokens } from './frequent-tokens.js';
import { readKeptApart, readLabels, withReviews, withTexts } from './labelled-exchanges.js';
import { rebuildReplyJudge } from './rebuild-reply-judge.js';
import { joinCascade, trainLinear } from './train-cascade.js';

const LABELS = 'data/dsat-labels.jsonl';
const KEPT_APART = 'data/heldout-conversations.sha256';
const WEIGHTS = 'src/dsat/weights';
const PAGE = 'docs/dsat.md';
/** Tokens that stay as they are in a pattern: with 1,000 the figures are the same. */
const FREQUENT_TOKENS = 300;

/**
 * Rebuilds weights, card and page in the checkout it is started in. The same inputs give the same linear weights, and an
 * encoder as good as the last. Exit status 1 where a goal of the card is missed.
 */
const {
  json,
  reviews,
  'keep-encoder': keepEncoder,
} = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    reviews: { type: 'string' },
    'keep-encoder': { type: 'boolean', default: false },
  },
}).values;
const startedMs = Date.now();
const say = (what: string) => console.error(`${Math.round((Date.now() - startedMs) / 1_000)} s: ${what}`);

const keptApart = await readKeptApart(KEPT_APART);
const corpus = await readShareGptCorpus(requireAsset(loadConfig(), 'chatLogs'));
const labelled = withTexts(await readLabels(LABELS), corpus, keptApart);
const turns = reviews === undefined ? labelled : withReviews(labelled, readLabelRecords(reviews), keptApart);
say(`${turns.length} labelled turns of ${corpus.length} conversations`);
if (!keepEncoder) await trainEncoder(turns, WEIGHTS);
const encoder = await readEncoder(turns, WEIGHTS);
const tokens = frequentTokens(corpus, keptApart, FREQUENT_TOKENS);
const trained = joinCascade(turns, trainLinear(turns, tokens, say), encoder, tokens);
const bytes = {
  first: encodeStage(trained.models.first),
  second: encodeStage(trained.models.second),
  encoder: await readFile(join(WEIGHTS, ENCODER_FILES.model)),
  tokenizer: await readFile(join(WEIGHTS, ENCODER_FILES.tokenizer)),
};
const card = await dated(cardOf(trained, bytes, turns, new Date().toISOString().slice(0, 10)));
await writeFile(join(WEIGHTS, STAGE_FILES.first), bytes.first);
await writeFile(join(WEIGHTS, STAGE_FILES.second), bytes.second);
await writeFile(join(WEIGHTS, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
await writeFile(PAGE, modelCardPage(card));
await rebuildReplyJudge(labelled, corpus);
say('reply judge');
console.log(json ? JSON.stringify(card) : modelCardPage(card));
for (const { name } of card.goals.filter(({ met }) => !met)) console.error(`missed: ${name}`);
if (!card.pass) process.exitCode = 1;

/** The same weights keep the day on which they were first built. */
async function dated(card: TrainedCard): Promise<TrainedCard> {
  const before = await readFile(join(WEIGHTS, 'card.json'), 'utf8').catch(() => '{}');
  const { version, builtOn } = JSON.parse(before) as Partial<TrainedCard>;
  return version === card.version && builtOn ? { ...card, builtOn } : card;
}

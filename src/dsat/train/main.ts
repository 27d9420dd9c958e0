import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../config/config.js';
import { requireAsset } from '../../stack/assets.js';
import { STAGE_FILES, versionOf } from '../cascade.js';
import { encodeStage } from '../stage-model.js';
import { readLabelledExchanges } from './labelled-exchanges.js';
import { trainCascade } from './train-cascade.js';

const started = Date.now();
const say = (what: string) => console.error(`${((Date.now() - started) / 1_000).toFixed(0).padStart(4)} s  ${what}`);
const OUT = 'src/dsat/weights';

const turns = await readLabelledExchanges({
  labels: 'data/dsat-labels.jsonl',
  keptApart: 'data/heldout-conversations.sha256',
  corpus: requireAsset(loadConfig(), 'chatLogs'),
});
say(`${turns.length} labelled turns`);
const { models, decided: _, bands: __, ...rest } = trainCascade(turns, say);
const files = { first: encodeStage(models.first), second: encodeStage(models.second) };
await mkdir(OUT, { recursive: true });
await writeFile(join(OUT, STAGE_FILES.first), files.first);
await writeFile(join(OUT, STAGE_FILES.second), files.second);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const card = {
  version: versionOf(files.first, files.second),
  sha256: { first: sha256(files.first), second: sha256(files.second) },
  ...rest,
};
await writeFile(join(OUT, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
console.log(JSON.stringify(card));

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { withJudge } from '../../src/dsat/judge/create-judge.js';
import { DEFAULT_RUBRIC } from '../../src/dsat/judge/rubric.js';
import { storeRubric } from '../../src/dsat/judge/rubric-store.js';
import type { Classifier, Exchange, Verdict } from '../../src/dsat/verdict.js';
import { eraseSubject } from '../../src/erasure/erase-subject.js';
import { createPrivacy } from '../../src/privacy/privacy.js';
import { OpenAiServer, refuse, scoreByWord } from '../factories/openai-server.js';
import { SCRIPTED_VERSION, ScriptedClassifier } from '../factories/scripted-classifier.js';
import { asRecord, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

/** The scripted second stage, which is unsure of turns that say UNSURE and calls them neutral. */
class UnsureClassifier implements Classifier {
  readonly version = SCRIPTED_VERSION;
  private readonly sure = new ScriptedClassifier('second');

  async classify(exchanges: Exchange[]): Promise<Verdict[]> {
    const verdicts = await this.sure.classify(exchanges);
    return verdicts.map((verdict, at) =>
      exchanges[at]!.userTurn.includes('UNSURE')
        ? { ...verdict, label: 'neutral', rubric: null, abstained: true }
        : verdict,
    );
  }
}

let harness: IngestHarness;
let server: OpenAiServer;
beforeEach(async () => {
  harness = await IngestHarness.create();
  await harness.startConsumer();
  server = await OpenAiServer.start(scoreByWord);
});
afterEach(async () => {
  await server.stop();
  await harness.close();
});

async function ingest(...conversations: string[][]): Promise<void> {
  const turns = conversations.flatMap((contents, index) => conversation(`c${index}`, contents));
  await harness.produce(turns.map(asRecord));
  await harness.stored();
}

const ASKED = ['Sort it.', 'Call sort.'];

async function settle(given: Record<string, string> = {}): Promise<string> {
  const env = { DRIFTLOOP_JUDGE_URL: server.url, DRIFTLOOP_JUDGE_MODEL: 'small', ...given };
  const config = { ...harness.config, judge: loadConfig(env).judge };
  const secondStage = await withJudge(harness.dataSource, config, new UnsureClassifier());
  await harness.settle({ ...harness.classifyTools, secondStage });
  return secondStage.version;
}

const verdicts = async () =>
  (await harness.rows('verdicts')).map(({ label, rubric, judge, classifier_version }) => [
    label,
    rubric,
    judge,
    classifier_version,
  ]);

describe('a verdict that the classifier is unsure of', () => {
  it("is the judge's, under a version of its own, with its anchor; what is sure is not sent", async () => {
    await ingest([...ASKED, 'MAYBE UNSURE BAD'], [...ASKED, 'MAYBE BAD']);
    const version = await settle();
    expect(await verdicts()).toEqual([
      ['dsat', 'not-working', 'asked', version],
      ['dsat', 'other', null, SCRIPTED_VERSION],
    ]);
    expect(await harness.rows('anchors')).toHaveLength(2);
    expect(server.requests).toHaveLength(1);
    const [row] = await harness.dataSource.query('SELECT card FROM classifier_versions WHERE version = $1', [version]);
    expect(row.card).toMatchObject({ model: 'small', classifier: SCRIPTED_VERSION });
  });

  it("stays the classifier's where the judge is down, and says so", async () => {
    server.behave = (_, response) => refuse(response, 500);
    await ingest([...ASKED, 'MAYBE UNSURE BAD']);
    await settle({ DRIFTLOOP_JUDGE_TIMEOUT_MS: '4000' });
    expect(await verdicts()).toEqual([['neutral', null, 'unavailable', SCRIPTED_VERSION]]);
  });

  it('is sent as it is stored: redacted', async () => {
    await ingest([...ASKED, 'MAYBE UNSURE BAD, write to jane.doe@example.com']);
    await settle();
    expect(JSON.stringify(server.requests)).toContain('[email]');
    expect(JSON.stringify(server.requests)).not.toContain('jane.doe');
  });

  it('is judged by the rubric that was learnt last', async () => {
    const learnt = { ...DEFAULT_RUBRIC, version: 'rubric-learnt', items: DEFAULT_RUBRIC.items.slice(0, 1) };
    await storeRubric(harness.dataSource, { ...learnt, model: 'small', prompts: '', learntFrom: {}, figures: null });
    await ingest([...ASKED, 'MAYBE UNSURE BAD']);
    await settle();
    expect(server.requests[0]!.body.messages[0]!.content).toContain('D1');
    expect(server.requests[0]!.body.messages[0]!.content).not.toContain('D2');
  });

  it('is forgotten by the judge, too, when its conversation is erased', async () => {
    await ingest([...ASKED, 'MAYBE UNSURE BAD'], [...ASKED, 'MAYBE UNSURE GOOD']);
    await settle();
    const answers = () => harness.dataSource.query('SELECT FROM judge_answers');
    expect(await answers()).toHaveLength(2);
    const { pseudonyms } = createPrivacy(harness.config);
    await eraseSubject(harness.dataSource, pseudonyms, { subject: 'conversation', id: 'c0', at: new Date() });
    expect(await answers()).toHaveLength(1);
  });
});

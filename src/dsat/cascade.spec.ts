import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classifierVersion, loadCard, loadCascade, loadFirstStage, loadSecondStage } from './cascade.js';
import { type Exchange, LABELS, RUBRICS, type Verdict } from './verdict.js';

const first = loadFirstStage();
const second = loadSecondStage();

const code = 'You can read the file like this:\n```python\ndata = open("a.csv").read()\n```';
const exchange = (prompt: string, reply: string, userTurn: string): Exchange => ({ prompt, reply, userTurn });

const DSAT = [
  exchange(
    'How do I read a CSV file in Python?',
    code,
    'It does not work, I still get the same error: FileNotFoundError',
  ),
  exchange(
    'Who wrote Dune?',
    'Dune was written by Isaac Asimov.',
    "That's wrong. You are not correct, it was not Asimov.",
  ),
  exchange(
    'Write it in 50 words.',
    'Sure! Here is a text of 200 words.',
    'No, I said 50 words. You did not follow my instructions.',
  ),
];
const SAT = [
  exchange('How do I read a CSV file in Python?', code, 'Perfect, that worked, thank you so much!'),
  exchange('Write a slogan for a bakery.', '"Rise and shine with us."', 'That is great! I love it.'),
  exchange('What is DNA?', 'DNA carries the genetic information of living things.', 'Thanks, very helpful'),
];
const NEUTRAL = [
  exchange(
    'What is DNA?',
    'DNA carries the genetic information of living things.',
    'What is the difference between DNA and RNA?',
  ),
  exchange('Write a poem about spring.', 'Spring has come, the birds all sing.', 'continue'),
  exchange('List three capitals.', 'Paris, Rome, Madrid.', 'Which of them has the most inhabitants?'),
];

describe('the shipped weights', () => {
  it('are those that the card speaks of', () => {
    const card = loadCard() as ReturnType<typeof loadCard> & {
      weights: Record<string, { file: string; sha256: string }>;
    };
    expect(card.version).toBe(classifierVersion());
    for (const { file, sha256 } of Object.values(card.weights)) {
      const bytes = readFileSync(new URL(`./weights/${file}`, import.meta.url));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    }
    expect(readFileSync('docs/dsat.md', 'utf8')).toContain(card.version);
  });

  it.each([
    ['dsat', DSAT],
    ['sat', SAT],
    ['neutral', NEUTRAL],
  ] as const)('call clear turns %s in either stage', async (label, exchanges) => {
    for (const stage of [first, second]) {
      expect((await stage.classify([...exchanges])).map((verdict) => verdict.label)).toEqual([label, label, label]);
    }
  });

  it('name why a turn displeased', async () => {
    expect((await second.classify(DSAT)).map(({ rubric }) => rubric)).toEqual([
      'not-working',
      'factual-error',
      'ignored-instruction',
    ]);
  });
});

describe('the cascade', () => {
  it('settles clear turns in the first stage and leaves doubtful ones provisional', () => {
    expect(first.classifyNow(NEUTRAL).map(({ status }) => status)).toEqual(['final', 'final', 'final']);
    const doubtful = exchange('Write an email.', 'Dear all, ...', 'Can you make it shorter and more formal?');
    expect(first.classifyNow([doubtful])[0]!.status).toBe('provisional');
  });

  it('leaves nothing provisional in the second stage', async () => {
    const verdicts = await second.classify([...DSAT, ...SAT, ...NEUTRAL]);
    expect(verdicts.every(({ status }) => status === 'final')).toBe(true);
  });

  it("takes the second stage's word for what the first leaves open, in the order of the exchanges", async () => {
    const doubtful = exchange('Write an email.', 'Dear all, ...', 'Can you make it shorter and more formal?');
    const exchanges = [doubtful, ...DSAT, ...NEUTRAL, doubtful, ...SAT];
    const early = first.classifyNow(exchanges);
    const cascade = loadCascade();
    const verdicts = await cascade.classify(exchanges);
    const late = await second.classify(exchanges);
    expect(early.some(({ status }) => status === 'final')).toBe(true);
    expect(verdicts).toEqual(early.map((verdict, at) => (verdict.status === 'final' ? verdict : late[at])));
    expect(cascade.version).toBe(classifierVersion());
  });

  it('names a likely reason for every exchange, that of the verdict where it is dsat', async () => {
    const exchanges = [...NEUTRAL, ...DSAT, ...SAT];
    const cascade = loadCascade();
    const rubrics = await cascade.likelyRubrics(exchanges);
    expect(rubrics).toHaveLength(exchanges.length);
    const verdicts = await cascade.classify(exchanges);
    verdicts.forEach(({ label, rubric }, at) => {
      expect(RUBRICS).toContain(rubrics[at]);
      if (label === 'dsat') expect(rubrics[at]).toBe(rubric);
    });
  });

  it('gives an exchange the same verdict whatever is classified beside it', async () => {
    const alone = await Promise.all(DSAT.map(async (one) => (await second.classify([one]))[0]));
    expect((await second.classify([...NEUTRAL, ...DSAT])).slice(NEUTRAL.length)).toEqual(alone);
  });

  it('has an answer for empty, foreign, broken and very long texts', async () => {
    const long = 'x \ud800 ```` error 你好! '.repeat(60_000);
    const texts = ['', ' ', '\ud800', '\udfff\ud800', '\0', '🙂', 'هذا لا يعمل', 'それは違います', '!!!!!!!!!', long];
    const exchanges = texts.flatMap((a) => texts.map((b) => exchange(b, a, a === long ? long : b + a)));
    for (const stage of [first, second]) (await stage.classify(exchanges)).forEach(expectWhole);
  });
});

function expectWhole({ label, probabilities, rubric, classifierVersion: version }: Verdict): void {
  const values = LABELS.map((of) => probabilities[of]);
  expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(values.reduce((sum, value) => sum + value)).toBeCloseTo(1);
  expect(rubric === null).toBe(label !== 'dsat');
  expect(version).toBe(classifierVersion());
}

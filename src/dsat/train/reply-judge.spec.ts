import { expect, it } from 'vitest';
import type { LabelledExchange } from './labelled-exchanges.js';
import { areaUnderRoc, type LabelledReply, labelledReplies, trainReplyJudge } from './reply-judge.js';

it('measures the area under ROC as worked out by hand, with ties', () => {
  const scored = (pairs: [number, boolean][]) => pairs.map(([score, positive]) => ({ score, positive }));
  expect(
    areaUnderRoc(
      scored([
        [0.9, true],
        [0.8, false],
        [0.7, true],
        [0.1, false],
      ]),
    ),
  ).toBe(0.75);
  expect(
    areaUnderRoc(
      scored([
        [0.5, true],
        [0.5, false],
      ]),
    ),
  ).toBe(0.5);
  expect(
    areaUnderRoc(
      scored([
        [0.1, true],
        [0.5, false],
      ]),
    ),
  ).toBe(0);
});

it('takes a complaint that has a label for feedback on the prompt before it', () => {
  const said = ['Sort it.', 'No.', 'That is wrong!', 'Sorted.', 'Thanks.'];
  const turns = said.map((content, at) => ({
    role: at % 2 === 0 ? ('user' as const) : ('assistant' as const),
    content,
  }));
  const label = (turn: number, of: 'dsat' | 'sat'): LabelledExchange => ({
    ...{ conversation: 'c', turn, label: of, rubric: null, confidence: 'high', stratum: 'random' },
    exchange: { prompt: said[turn - 2]!, reply: said[turn - 1]!, userTurn: said[turn]! },
  });
  expect(labelledReplies([label(2, 'dsat'), label(4, 'sat')], [{ id: 'c', turns }])).toMatchObject([
    { prompt: 'Sort it.', reply: 'No.', displeased: true },
    { prompt: 'Sort it.', feedback: 'That is wrong!', reply: 'Sorted.', displeased: false },
  ]);
  const [alone] = labelledReplies([label(4, 'sat')], [{ id: 'c', turns }]);
  expect(alone).toMatchObject({ prompt: 'That is wrong!' });
  expect(alone).not.toHaveProperty('feedback');
});

it('learns a pattern of replies, and says out of fold how well', { timeout: 120_000 }, () => {
  const replies = Array.from(
    { length: 60 },
    (_, at): LabelledReply => ({
      ...{ conversation: `c${at}`, displeased: at % 4 === 0, sure: true, natural: true },
      prompt: `How do I do ${at}?`,
      reply: at % 4 === 0 ? 'As an AI I cannot do that.' : `Do ${at} like this.`,
    }),
  );
  const { figures } = trainReplyJudge(replies);
  expect(figures).toMatchObject({ replies: 60, baseRate: 0.25 });
  expect(figures.auc).toBeGreaterThan(0.95);
});

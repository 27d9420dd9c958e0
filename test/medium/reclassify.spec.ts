import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decideAnchors } from '../../src/anchor/decide-anchors.js';
import { recordFinal } from '../../src/anchor/record-final.js';
import { createDataSource } from '../../src/database/data-source.js';
import { ClassifyService } from '../../src/dsat/classify.service.js';
import { joinLateFeedback } from '../../src/dsat/evidence/late-feedback.js';
import { type ReclassifyRequest, reclassify } from '../../src/dsat/reclassify/reclassify.js';
import type { Classifier, Exchange, Label, Verdict } from '../../src/dsat/verdict.js';
import { insertVerdicts, type JudgedTurn } from '../../src/dsat/verdict-rows.js';
import { insertTurns } from '../factories/anchors.js';
import { insertRun } from '../factories/runs.js';
import { SCRIPTED_VERSION, ScriptedClassifier } from '../factories/scripted-classifier.js';
import { createTestDatabase, type TestDatabase } from '../stack.js';
import { streamTables, tableRows } from '../stream-tables.js';

const LISTS = ['How do I sort a list in Python?', 'Call sort on the list in Python.'];
const REPLY = 'Call sorted on the list in Python.';
const AT = '2026-01-02T03:04:05Z';

/** A later version, which reads `v2 dsat` and the like in the user's turn, and else agrees with the scripted one. */
class LaterClassifier implements Classifier {
  private readonly before = new ScriptedClassifier('second');

  constructor(readonly version: string) {}

  async classify(exchanges: Exchange[]): Promise<Verdict[]> {
    const verdicts = await this.before.classify(exchanges);
    return exchanges.map(({ userTurn }, at) => this.verdict(verdicts[at]!, userTurn));
  }

  private verdict(before: Verdict, userTurn: string): Verdict {
    const said = new RegExp(`${this.version} (dsat|sat|neutral)`).exec(userTurn)?.[1] as Label | undefined;
    const label = said ?? before.label;
    return { ...before, label, rubric: label === 'dsat' ? 'style' : null, classifierVersion: this.version };
  }
}

let database: TestDatabase;
let dataSource: DataSource;

beforeEach(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.url).initialize();
  for (const version of [SCRIPTED_VERSION, 'v2', 'v3']) {
    await dataSource.query(`INSERT INTO classifier_versions (version, card) VALUES ($1, '{}')`, [version]);
  }
});
afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

/** Stores a conversation as ingestion does, with the first stage's verdicts. */
async function store(id: string, contents: string[]): Promise<void> {
  const role = (turn: number) => (turn % 2 === 0 ? 'user' : 'assistant') as 'user' | 'assistant';
  await insertTurns(
    dataSource,
    id,
    contents.map((content, turn) => ({ role: role(turn), content })),
  );
  const judged = await Promise.all(
    contents.map(async (userTurn, turn): Promise<JudgedTurn[]> => {
      if (turn < 2 || turn % 2 === 1) return [];
      const exchange = { prompt: contents[turn - 2]!, reply: contents[turn - 1]!, userTurn };
      const [verdict] = await new ScriptedClassifier('first').classify([exchange]);
      return [{ conversationId: id, turn, promptTurn: turn - 2, verdict: verdict! }];
    }),
  );
  await dataSource.transaction(async (manager) => {
    await insertVerdicts(manager, judged.flat());
    await recordFinal(manager, judged.flat());
  });
}

function run(version: string, given: Partial<ReclassifyRequest> & { batch?: number } = {}, on = dataSource) {
  const { batch, ...request } = given;
  const tools = { dataSource: on, classifier: new LaterClassifier(version), feedbackEvidence: true, batch };
  return reclassify(tools, { version, since: null, dryRun: false, ...request });
}

const verdicts = async () =>
  (await tableRows(dataSource, 'verdicts')).map((row) => [
    `${row.conversation_id}/${row.turn}`,
    row.label,
    row.classifier_version,
  ]);
const anchors = async () =>
  (await tableRows(dataSource, 'anchors')).map((row) => [
    `${row.conversation_id}/${row.turn}`,
    row.state,
    row.classifier_version,
    row.disputed_by,
  ]);
const pairs = async () =>
  (await tableRows(dataSource, 'seed_pairs')).map((row) => `${row.conversation_id}/${row.turn}`);
const history = () =>
  dataSource.query(
    `SELECT conversation_id || '/' || turn AS turn, classifier_version AS version, standing, verdict->>'label' AS label
     FROM verdict_history ORDER BY conversation_id, turn, classifier_version`,
  );
const anchorOf = async (id: string, turn = 2): Promise<string> =>
  (await dataSource.query('SELECT id FROM anchors WHERE conversation_id = $1 AND turn = $2', [id, turn]))[0].id;

/** As a run has it that planned, or warmed up with, an anchor. */
async function use(anchorId: string, how: 'train' | 'held-out' | 'spare' | 'warm-start'): Promise<void> {
  await insertRun(dataSource, { id: `run-${how}-${anchorId}` });
  if (how === 'warm-start') {
    await dataSource.query(
      `INSERT INTO pairs (run_id, iteration, split, position, anchor_id, prompt_ids, chosen_ids, rejected_ids, chosen, rejected)
       VALUES ($1, 0, 'warm-start', 0, $2, '{}', '{}', '{}', '', '')`,
      [`run-${how}-${anchorId}`, anchorId],
    );
  } else {
    await dataSource.query('INSERT INTO run_anchors (run_id, anchor_id, decision) VALUES ($1, $2, $3)', [
      `run-${how}-${anchorId}`,
      anchorId,
      how,
    ]);
  }
}

describe('reclassify', () => {
  it('gives every final verdict anew, keeps the old one, and makes and retires what follows', async () => {
    await store('a', [...LISTS, 'BAD v2 neutral']);
    await store('b', [...LISTS, 'Hm. v2 dsat', REPLY, 'GOOD']);
    await store('c', [...LISTS, 'BAD', REPLY, 'GOOD v2 neutral']);
    await store('d', [...LISTS, 'MAYBE']);
    expect(await pairs()).toEqual(['c/2']);
    expect(await run('v2')).toEqual({
      verdicts: 5,
      withheld: 0,
      labels: { 'dsat→neutral': 1, 'neutral→dsat': 1, 'sat→sat': 1, 'dsat→dsat': 1, 'sat→neutral': 1 },
      anchors: { made: 1, retired: 1, restored: 0, disputed: 0 },
      seedPairs: { made: 1, removed: 1 },
    });
    expect(await verdicts()).toEqual([
      ['a/2', 'neutral', 'v2'],
      ['b/2', 'dsat', 'v2'],
      ['b/4', 'sat', 'v2'],
      ['c/2', 'dsat', 'v2'],
      ['c/4', 'neutral', 'v2'],
      ['d/2', 'neutral', SCRIPTED_VERSION],
    ]);
    expect(await anchors()).toEqual([
      ['a/2', 'retired', SCRIPTED_VERSION, 'v2'],
      ['b/2', 'active', 'v2', null],
      ['c/2', 'active', 'v2', null],
    ]);
    expect(await pairs()).toEqual(['b/2']);
    expect(await history()).toHaveLength(5);
    expect((await history())[0]).toEqual({
      turn: 'a/2',
      version: SCRIPTED_VERSION,
      standing: 'replaced',
      label: 'dsat',
    });
    const audit = await dataSource.query('SELECT action, subject, facts FROM audit_log ORDER BY id');
    expect(audit).toMatchObject([
      {
        action: 'retire-anchor',
        subject: await anchorOf('a'),
        facts: { why: 'reclassified', classifierVersion: 'v2' },
      },
      { action: 'reclassify', subject: 'v2', facts: { verdicts: 5 } },
    ]);
  });

  it('does nothing the second time', async () => {
    await store('a', [...LISTS, 'BAD v2 neutral', REPLY, 'Hm.']);
    await run('v2');
    const before = [await streamTables(dataSource), await history()];
    expect(await run('v2')).toMatchObject({ verdicts: 0, withheld: 0 });
    expect([await streamTables(dataSource), await history()]).toEqual(before);
  });

  it('leaves what a run used as it was, keeps the other verdict beside it, and marks the anchor', async () => {
    for (const id of ['trained', 'held']) await store(id, [...LISTS, 'BAD v2 neutral']);
    await store('same', [...LISTS, 'BAD']);
    await store('spare', [...LISTS, 'BAD v2 neutral']);
    await store('warm', [...LISTS, 'BAD', REPLY, 'GOOD v2 neutral']);
    await use(await anchorOf('trained'), 'train');
    await use(await anchorOf('held'), 'held-out');
    await use(await anchorOf('same'), 'train');
    await use(await anchorOf('spare'), 'spare');
    await use(await anchorOf('warm'), 'warm-start');
    expect(await run('v2')).toMatchObject({ verdicts: 1, withheld: 5, anchors: { retired: 1, disputed: 2 } });
    expect((await verdicts()).filter(([, , version]) => version === SCRIPTED_VERSION).map(([turn]) => turn)).toEqual([
      'held/2',
      'same/2',
      'trained/2',
      'warm/2',
      'warm/4',
    ]);
    expect(await anchors()).toEqual([
      ['held/2', 'active', SCRIPTED_VERSION, 'v2'],
      ['same/2', 'active', SCRIPTED_VERSION, null],
      ['spare/2', 'retired', SCRIPTED_VERSION, 'v2'],
      ['trained/2', 'active', SCRIPTED_VERSION, 'v2'],
      ['warm/2', 'active', SCRIPTED_VERSION, null],
    ]);
    expect(await pairs()).toEqual(['warm/2']);
    expect(await history()).toContainEqual({
      turn: 'trained/2',
      version: 'v2',
      standing: 'withheld',
      label: 'neutral',
    });
    expect(await run('v2')).toMatchObject({ verdicts: 0, withheld: 0 });
  });

  it('restores an anchor that a later version calls dsat again, and leaves what a person decided', async () => {
    await store('back', [...LISTS, 'BAD v2 neutral v3 dsat']);
    await store('kept', [...LISTS, 'BAD v2 neutral v3 neutral']);
    await store('gone', [...LISTS, 'BAD']);
    await decideAnchors(dataSource, 'retire', [await anchorOf('kept'), await anchorOf('gone')], 'spam');
    await decideAnchors(dataSource, 'release', [await anchorOf('kept')], 'fine');
    expect((await run('v2')).anchors).toEqual({ made: 0, retired: 1, restored: 0, disputed: 1 });
    expect((await run('v3')).anchors).toEqual({ made: 0, retired: 0, restored: 1, disputed: 1 });
    expect(await anchors()).toEqual([
      ['back/2', 'active', 'v3', null],
      ['gone/2', 'retired', 'v3', null],
      ['kept/2', 'active', SCRIPTED_VERSION, 'v3'],
    ]);
    expect((await history()).map(({ version }: { version: string }) => version)).toEqual(
      Array(3).fill([SCRIPTED_VERSION, 'v2']).flat(),
    );
  });

  it('leaves what people reviewed, and lets feedback on the reply count, before or after', async () => {
    for (const id of ['disliked', 'later', 'reviewed']) await store(id, [...LISTS, 'BAD v2 neutral']);
    await dataSource.query(`UPDATE verdicts SET reviewed = true WHERE conversation_id = 'reviewed'`);
    const thumbsDown = async (conversationId: string) => {
      const feedback = { conversationId, turn: 1, kind: 'thumbs', value: 'down', occurredAt: AT } as const;
      await dataSource.query(
        `INSERT INTO turn_feedback (conversation_id, turn, kind, value, occurred_at) VALUES ($1, 1, 'thumbs', '"down"', $2)`,
        [conversationId, AT],
      );
      return feedback;
    };
    await thumbsDown('disliked');
    expect(await run('v2')).toMatchObject({ verdicts: 2, anchors: { retired: 1 } });
    const states = async () => (await anchors()).map(([turn, state, version]) => `${turn} ${state} ${version}`);
    expect(await states()).toEqual([
      'disliked/2 active v2',
      `later/2 retired ${SCRIPTED_VERSION}`,
      `reviewed/2 active ${SCRIPTED_VERSION}`,
    ]);
    const late = await thumbsDown('later');
    await dataSource.transaction((manager) => joinLateFeedback(manager, [late]));
    expect((await anchors())[1]).toEqual(['later/2', 'active', SCRIPTED_VERSION, null]);
  });

  it('counts what would change, and changes nothing, in a dry run', async () => {
    await store('a', [...LISTS, 'BAD v2 neutral', REPLY, 'GOOD']);
    await store('b', [...LISTS, 'Hm. v2 dsat']);
    const before = await streamTables(dataSource);
    expect(await run('v2', { dryRun: true, batch: 1 })).toMatchObject({
      verdicts: 3,
      anchors: { made: 1, retired: 1 },
      seedPairs: { removed: 1 },
    });
    expect(await streamTables(dataSource)).toEqual(before);
    expect(await history()).toEqual([]);
    expect(await dataSource.query('SELECT FROM audit_log')).toEqual([]);
  });

  it('takes only turns that were said since then', async () => {
    for (const id of ['old', 'new']) await store(id, [...LISTS, 'BAD']);
    await dataSource.query(`UPDATE turns SET occurred_at = '2026-01-01' WHERE conversation_id = 'old'`);
    await dataSource.query(`UPDATE turns SET occurred_at = '2026-02-01' WHERE conversation_id = 'new'`);
    expect(await run('v2', { since: new Date('2026-01-15') })).toMatchObject({ verdicts: 1 });
    expect((await verdicts()).map(([, , version]) => version)).toEqual(['v2', SCRIPTED_VERSION]);
  });

  it('takes what a language model judged beside this version for its own', async () => {
    await store('a', [...LISTS, 'BAD']);
    await dataSource.query(`INSERT INTO classifier_versions (version, card) VALUES ('v2+judge', '{}')`);
    await dataSource.query(`UPDATE verdicts SET classifier_version = 'v2+judge'`);
    expect(await run('v2')).toMatchObject({ verdicts: 0 });
  });

  it('does each turn once when two run at once, and they end with the same as one', async () => {
    const contents = [
      ...LISTS,
      'BAD v2 neutral',
      REPLY,
      `GOOD. ${LISTS[0]}`,
      LISTS[1]!,
      'Hm. v2 dsat',
      REPLY,
      'Oh. v2 sat',
    ];
    const ids = Array.from({ length: 10 }, (_, at) => `c${String(at).padStart(2, '0')}`);
    for (const id of ids) await store(id, contents);
    const other = await createDataSource(database.url).initialize();
    const done = await Promise.all([run('v2', { batch: 7 }), run('v2', { batch: 7 }, other)]);
    await other.destroy();
    expect(done[0]!.verdicts + done[1]!.verdicts).toBe(40);
    expect(done[0]!.anchors.retired + done[1]!.anchors.retired).toBe(10);
    expect(
      await dataSource.query(
        `SELECT sum((facts->>'verdicts')::integer)::integer AS sum FROM audit_log WHERE action = 'reclassify'`,
      ),
    ).toEqual([{ sum: 40 }]);
    expect(await history()).toHaveLength(40);
    expect(await pairs()).toEqual(ids.map((id) => `${id}/6`));
    expect((await anchors()).map(([turn, state]) => [turn, state])).toEqual(
      ids.flatMap((id) => [
        [`${id}/2`, 'retired'],
        [`${id}/6`, 'active'],
      ]),
    );
  });

  it('and the second stage beside it miss nothing and make nothing twice', async () => {
    const ids = Array.from({ length: 10 }, (_, at) => `c${String(at).padStart(2, '0')}`);
    for (const id of ids) await store(id, [...LISTS, 'Hm. v2 dsat', REPLY, 'MAYBE GOOD', 'Sure.', 'MAYBE BAD']);
    const tools = { dataSource, secondStage: new ScriptedClassifier('second'), batch: 4, feedbackEvidence: true };
    const worker = new ClassifyService(tools);
    worker.start();
    await run('v2', { batch: 3 });
    while ((await dataSource.query(`SELECT FROM verdicts WHERE status = 'provisional'`)).length > 0) await sleep(20);
    await worker.stop();
    expect((await verdicts()).filter(([, label]) => label === 'dsat')).toHaveLength(20);
    expect(await pairs()).toEqual(ids.map((id) => `${id}/2`));
    expect(await anchors()).toHaveLength(20);
  });

  it('waits for anchors that somebody else holds, and holds nothing of others meanwhile', async () => {
    for (const id of ['a', 'b']) await store(id, [...LISTS, 'BAD v2 neutral']);
    const states = async () => (await anchors()).map(([turn, state]) => `${turn} ${state}`);
    const holder = dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('SELECT FROM anchors WHERE id = $1 FOR KEY SHARE', [await anchorOf('a')]);
    const running = run('v2');
    while ((await verdicts()).every(([, , version]) => version === SCRIPTED_VERSION)) await sleep(20);
    expect(await states()).toEqual(['a/2 active', 'b/2 retired']);
    // As a run that is being planned: it may take the other anchor now, and what it took counts as used.
    await insertRun(dataSource, { id: 'run' });
    await holder.query(`INSERT INTO run_anchors (run_id, anchor_id, decision) SELECT 'run', id, 'train' FROM anchors`);
    await holder.commitTransaction();
    await holder.release();
    expect(await running).toMatchObject({ verdicts: 1, withheld: 1 });
    expect(await states()).toEqual(['a/2 active', 'b/2 retired']);
  });
});

import { Counter, Gauge, Histogram } from 'prom-client';
import type { RestartReason } from '../chat-log/consumer-offsets.js';
import type { StoredCounts } from '../chat-log/store-records.js';
import { effectOf } from '../dsat/evidence/with-evidence.js';

const records = new Counter({
  name: 'driftloop_ingest_records_total',
  help: 'Kafka records that were processed, by outcome: stored, or rejected as a whole.',
  labelNames: ['outcome'],
});
const turns = new Counter({ name: 'driftloop_ingest_turns_total', help: 'Turns that were stored.' });
const duplicates = new Counter({
  name: 'driftloop_ingest_duplicate_turns_total',
  help: 'Turns that were stored already, with the same content.',
});
const feedback = new Counter({
  name: 'driftloop_ingest_feedback_total',
  help: 'Feedback on turns (thumbs, ratings, regenerate, copy, edit) that was taken.',
});
const sanitised = new Counter({
  name: 'driftloop_ingest_sanitised_records_total',
  help: 'Records with NUL characters or lone surrogates, which were replaced by U+FFFD.',
});
const erasures = new Counter({ name: 'driftloop_ingest_erasures_total', help: 'Erasures that came as events.' });
const erasedTurns = new Counter({
  name: 'driftloop_ingest_erased_turns_total',
  help: 'Turns that came and were left out, as their conversation is erased.',
});
const erasedLetters = new Counter({
  name: 'driftloop_ingest_erased_letters_total',
  help: 'Refused records that came and were left out of the dead letters, as whom or what they name is erased.',
});
const redactions = new Counter({
  name: 'driftloop_redactions_total',
  help: 'Places in records that were replaced by a placeholder before anything was stored, by kind.',
  labelNames: ['kind'],
});
const deadLetters = new Counter({
  name: 'driftloop_dead_letters_total',
  help: 'Records, or single turns of them, that were put aside, by reason.',
  labelNames: ['reason'],
});
const verdicts = new Counter({
  name: 'driftloop_verdicts_total',
  help: 'Verdicts given, by label, by the stage that gave it, and by status; a provisional one is given again.',
  labelNames: ['label', 'stage', 'status'],
});
const abstentions = new Counter({
  name: 'driftloop_verdicts_abstained_total',
  help: 'Final verdicts that abstain, so that nothing follows from them, by label and by the stage that gave them.',
  labelNames: ['label', 'stage'],
});
const evidence = new Counter({
  name: 'driftloop_feedback_evidence_total',
  help: 'Verdicts that feedback on the reply was joined to, by what it made of them: dsat, not-dsat, settled, abstains, none.',
  labelNames: ['effect'],
});
const anchors = new Counter({ name: 'driftloop_anchors_created_total', help: 'Anchors that were written.' });
const seedPairs = new Counter({ name: 'driftloop_seed_pairs_created_total', help: 'Seed pairs that were written.' });
const transactionDuration = new Histogram({
  name: 'driftloop_ingest_transaction_duration_seconds',
  help: 'Time of a transaction that stores records of one partition.',
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});
const lag = new Gauge({
  name: 'driftloop_consumer_lag_records',
  help: 'Records of the partition that are not stored, up to a few seconds ago.',
  labelNames: ['topic', 'partition'],
});
const batchAge = new Gauge({
  name: 'driftloop_ingest_batch_age_seconds',
  help: 'Age of the oldest record of the last batch of the partition when it was stored.',
  labelNames: ['topic', 'partition'],
});
const restarts = new Counter({
  name: 'driftloop_ingest_partition_restarts_total',
  help: 'Partitions that were read from their first record again, as the topic was not the one that is stored, by reason.',
  labelNames: ['reason'],
});
const held = new Gauge({
  name: 'driftloop_ingest_held',
  help: '1 while ingestion waits for the second stage, whose backlog is at its limit.',
});
const settleDuration = new Histogram({
  name: 'driftloop_classify_transaction_duration_seconds',
  help: 'Time of a transaction that settles provisional verdicts.',
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});

/** Call it once the transaction has ended well. */
export function countStored(counts: StoredCounts, seconds: number): void {
  const rejected = counts.deadLetters.filter((reason) => reason !== 'conflict').length;
  records.inc({ outcome: 'rejected' }, rejected);
  records.inc({ outcome: 'stored' }, counts.records - rejected);
  turns.inc(counts.turns);
  duplicates.inc(counts.duplicates);
  feedback.inc(counts.feedback);
  sanitised.inc(counts.sanitised);
  erasures.inc(counts.erasures);
  erasedTurns.inc(counts.erasedTurns);
  erasedLetters.inc(counts.erasedLetters);
  for (const counted of counts.redactions) {
    for (const [kind, count] of Object.entries(counted)) redactions.inc({ kind }, count);
  }
  for (const reason of counts.deadLetters) deadLetters.inc({ reason });
  for (const verdict of counts.reweighed) evidence.inc({ effect: effectOf(verdict) });
  countVerdicts(counts, 'first');
  transactionDuration.observe(seconds);
}

/** Call it once the transaction has ended well. */
export function countSettled(counts: SettledCounts, seconds: number): void {
  countVerdicts(counts, 'second');
  settleDuration.observe(seconds);
}

export type SettledCounts = Pick<StoredCounts, 'verdicts' | 'anchors' | 'seedPairs'>;

function countVerdicts(counts: SettledCounts, stage: 'first' | 'second'): void {
  for (const verdict of counts.verdicts) {
    const { label, status, abstained } = verdict;
    if (verdict.evidence) evidence.inc({ effect: effectOf(verdict) });
    verdicts.inc({ label, stage, status });
    if (abstained && status === 'final') abstentions.inc({ label, stage });
  }
  anchors.inc(counts.anchors);
  seedPairs.inc(counts.seedPairs);
}

export function observeLag(topic: string, partition: number, records: bigint): void {
  lag.set({ topic, partition }, Number(records));
}

export function observeAge(topic: string, partition: number, seconds: number): void {
  batchAge.set({ topic, partition }, Math.max(0, seconds));
}

export function countRestart(reason: RestartReason): void {
  restarts.inc({ reason });
}

export function setHeld(isHeld: boolean): void {
  held.set(Number(isHeld));
}

/** Forgets the partitions that this process no longer reads. */
export function forgetPartitions(): void {
  lag.reset();
  batchAge.reset();
}

import type { DataSource } from 'typeorm';
import { PolicyVersionEntity } from '../../src/policy/policy-version.entity.js';
import type { EvaluateOutcome, MarginSummary } from '../../src/training/outcomes.js';
import { RunEntity, RunStageEntity, TrainingStepEntity } from '../../src/training/run.entity.js';

const START = new Date('2026-01-05T10:00:00.000Z');

export function insertRun(dataSource: DataSource, values: Partial<RunEntity> & { id: string }): Promise<RunEntity> {
  return dataSource.getRepository(RunEntity).save({
    preset: 'quick',
    status: 'done',
    settings: { iterations: 2 },
    baseModel: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    startVersion: null,
    snapshotHash: 'abc',
    error: null,
    startedAt: START,
    endedAt: new Date(START.getTime() + 60_000),
    ...values,
  });
}

export function insertStage(
  dataSource: DataSource,
  values: Partial<Omit<RunStageEntity, 'outcome'>> &
    Pick<RunStageEntity, 'runId' | 'iteration' | 'stage'> & { outcome?: object },
): Promise<RunStageEntity> {
  return dataSource
    .getRepository(RunStageEntity)
    .save({ status: 'done', attempt: 1, outcome: null, startedAt: START, endedAt: START, ...values });
}

export function insertStep(
  dataSource: DataSource,
  values: Partial<TrainingStepEntity> & Pick<TrainingStepEntity, 'runId' | 'iteration' | 'step'>,
): Promise<TrainingStepEntity> {
  return dataSource.getRepository(TrainingStepEntity).save({
    loss: 0.69,
    chosenReward: 0.02,
    rejectedReward: -0.05,
    margin: 0.07,
    accuracy: 0.75,
    chosenLogps: -80,
    rejectedLogps: -95,
    gradNorm: 3.5,
    learningRate: 1e-5,
    monitors: {},
    createdAt: START,
    ...values,
  });
}

export function insertPolicy(
  dataSource: DataSource,
  values: Partial<PolicyVersionEntity> & Pick<PolicyVersionEntity, 'version' | 'number'>,
): Promise<PolicyVersionEntity> {
  return dataSource.getRepository(PolicyVersionEntity).save({
    parent: null,
    baseModel: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    kind: 'full',
    status: 'published',
    uri: `file:///policies/${values.version}`,
    files: [{ path: 'model.safetensors', bytes: 12, sha256: '00' }],
    runId: null,
    snapshotHash: 'abc',
    metrics: { iterations: 2, heldOut: summary(0.4) },
    createdAt: START,
    announcedAt: null,
    ...values,
  });
}

/** What an `evaluate` stage leaves. */
export function evaluation(heldOutMargin: number, trainMargin: number): EvaluateOutcome {
  const train = { steps: 6, lossMean: 0.6, lossFirst: 0.69, lossLast: 0.5, ...scores(trainMargin) };
  return { heldOut: { ...summary(heldOutMargin), marginFromIterationStart: heldOutMargin }, train };
}

function summary(marginMean: number): MarginSummary {
  return { ...scores(marginMean), marginLow: marginMean - 0.1, marginHigh: marginMean + 0.1 };
}

function scores(marginMean: number) {
  return {
    pairs: 8,
    marginMean,
    marginP10: marginMean - 0.2,
    marginP50: marginMean,
    marginP90: marginMean + 0.2,
    chosenReward: marginMean / 2,
    rejectedReward: -marginMean / 2,
    accuracy: 0.875,
  };
}

import type { EntityManager } from 'typeorm';
import type { TrainingStep } from '../engine/training-engine.js';
import type { StepMonitors } from '../monitors.js';

/** Forgets the steps of an attempt that was interrupted. */
export async function clearSteps(manager: EntityManager, runId: string, iteration: number): Promise<void> {
  await manager.query('DELETE FROM training_steps WHERE run_id = $1 AND iteration = $2', [runId, iteration]);
}

export async function insertStep(
  manager: EntityManager,
  runId: string,
  iteration: number,
  step: TrainingStep,
  monitors: StepMonitors,
): Promise<void> {
  await manager.query(
    `INSERT INTO training_steps (run_id, iteration, step, loss, chosen_reward, rejected_reward, margin, accuracy,
       chosen_logps, rejected_logps, grad_norm, learning_rate, monitors)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      runId,
      iteration,
      step.step,
      step.loss,
      step.chosenReward,
      step.rejectedReward,
      step.margin,
      step.accuracy,
      step.chosenLogps,
      step.rejectedLogps,
      step.gradNorm,
      step.learningRate,
      JSON.stringify(monitors),
    ],
  );
}

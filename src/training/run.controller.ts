import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Answers } from '../api/answers.js';
import { InvalidInput } from '../api/problem.filter.js';
import { figure, limit, pageOf, pageSchema, timestamp, UNKNOWN_CURSOR } from '../api/schemas.js';
import { RUN_STATUSES, STAGE_STATUSES, STAGES } from './run.entity.js';
import { isKnown, listRuns, readRun } from './run-read.js';

const facts = z.record(z.string(), z.unknown());
const runFields = z.object({
  id: z.string(),
  preset: z.string(),
  status: z.enum(RUN_STATUSES),
  settings: facts,
  baseModel: z.string(),
  startVersion: z.string().nullable().describe('Policy version that the run started from; null for the base model.'),
  snapshotHash: z.string().nullable().describe('Of the anchors that the run trains on.'),
  error: z.string().nullable(),
  startedAt: timestamp,
  endedAt: timestamp.nullable(),
});
const stage = z
  .object({
    iteration: z.number().int().describe('0 before the first iteration, K + 1 after the last.'),
    stage: z.enum(STAGES),
    status: z.enum(STAGE_STATUSES),
    attempt: z.number().int(),
    outcome: facts.nullable(),
    startedAt: timestamp,
    endedAt: timestamp.nullable(),
  })
  .meta({ id: 'RunStage' });
const step = z
  .object({
    iteration: z.number().int().describe('0 for the warm start.'),
    step: z.number().int(),
    loss: figure,
    chosenReward: figure,
    rejectedReward: figure,
    margin: figure,
    accuracy: figure,
    chosenLogps: figure,
    rejectedLogps: figure,
    gradNorm: figure,
    learningRate: figure,
    monitors: facts,
    createdAt: timestamp,
  })
  .meta({ id: 'TrainingStep' });
const run = runFields.meta({ id: 'Run' });
const runDetail = runFields.extend({ stages: z.array(stage), steps: z.array(step) }).meta({ id: 'RunDetail' });

const runQuery = z.strictObject({ cursor: z.string().optional().describe('`nextCursor` of the page before.'), limit });

@ApiTags('runs')
@Controller('v1/runs')
export class RunController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  @ApiOperation({ summary: 'Training runs, the latest first' })
  @Answers(pageSchema(run), 'A page of runs.')
  async listRuns(@Query({ schema: runQuery }) { cursor, limit }: z.output<typeof runQuery>) {
    const rows = await listRuns(this.dataSource, { after: cursor, limit: limit + 1 });
    if (rows.length === 0 && cursor && !(await isKnown(this.dataSource, cursor)))
      throw new InvalidInput(UNKNOWN_CURSOR);
    return pageOf(rows, limit, (row) => row.id);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One run with its stages and steps' })
  @Answers(runDetail, 'The run.')
  getRun(@Param('id') id: string) {
    return readRun(this.dataSource, id);
  }
}

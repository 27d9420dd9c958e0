import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Answers } from '../api/answers.js';
import { limit, pageOf, pageSchema, timestamp } from '../api/schemas.js';
import { listPolicies, readPolicy } from './policy-read.js';
import { POLICY_KINDS, POLICY_STATUSES } from './policy-version.entity.js';

const policyFile = z
  .object({ path: z.string(), bytes: z.number().int(), sha256: z.string() })
  .meta({ id: 'PolicyFile' });
const policy = z
  .object({
    version: z.string(),
    number: z.number().int().describe('Counts up from 1.'),
    parent: z.string().nullable(),
    baseModel: z.string(),
    kind: z.enum(POLICY_KINDS),
    status: z.enum(POLICY_STATUSES),
    uri: z.string(),
    files: z.array(policyFile),
    runId: z.string().nullable(),
    snapshotHash: z.string(),
    erasedAnchors: z
      .number()
      .int()
      .describe('Anchors that it, or a version before it, was trained on and that were erased since.'),
    metrics: z.record(z.string(), z.unknown()),
    createdAt: timestamp,
    announcedAt: timestamp.nullable().describe('When the `policy.published` event reached Kafka.'),
  })
  .meta({ id: 'PolicyVersion' });

/** Of PostgreSQL's `integer`. */
const LARGEST_NUMBER = 2 ** 31 - 1;
const policyQuery = z.strictObject({
  cursor: z.coerce.number().int().min(1).max(LARGEST_NUMBER).optional().describe('`nextCursor` of the page before.'),
  limit,
});

@ApiTags('policies')
@Controller('v1/policies')
export class PolicyController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  @ApiOperation({ summary: 'Policy versions, the latest first' })
  @Answers(pageSchema(policy), 'A page of policy versions.')
  async listPolicies(@Query({ schema: policyQuery }) { cursor, limit }: z.output<typeof policyQuery>) {
    const rows = await listPolicies(this.dataSource, { after: cursor, limit: limit + 1 });
    return pageOf(rows, limit, (row) => String(row.number));
  }

  @Get(':version')
  @ApiOperation({ summary: 'One policy version' })
  @Answers(policy, 'The policy version.')
  getPolicy(@Param('version') version: string) {
    return readPolicy(this.dataSource, version);
  }
}

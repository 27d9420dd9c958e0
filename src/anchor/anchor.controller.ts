import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Answers } from '../api/answers.js';
import { InvalidInput } from '../api/problem.filter.js';
import { limit, pageOf, pageSchema, timestamp, UNKNOWN_CURSOR } from '../api/schemas.js';
import { RUBRICS } from '../dsat/verdict.js';
import { ANCHOR_ORIGINS, ANCHOR_STATES, MESSAGE_ROLES } from './anchor.js';
import { isKnown, listAnchors, readAnchorCase } from './anchor-read.js';

const anchorFields = z.object({
  id: z.uuid(),
  state: z.enum(ANCHOR_STATES),
  stateReason: z
    .string()
    .nullable()
    .describe('Why it is in this state: what quarantined it, or what the person said who released or retired it.'),
  disputedBy: z
    .string()
    .nullable()
    .describe('Version of the classifier by which the turn is no anchor; null where the last one that read it agrees.'),
  origin: z.enum(ANCHOR_ORIGINS).describe('Whether a user was dissatisfied, or preference data was imported.'),
  source: z.string().nullable().describe('Which preference data an imported one is from.'),
  conversationId: z.string(),
  turn: z.number().int().describe('Index of the user turn that voices the dissatisfaction.'),
  rubric: z.string().nullable().describe('Why the user was dissatisfied.'),
  confidence: z.number().nullable().describe('Probability of dissatisfaction, 0 to 1; null with imported ones.'),
  classifierVersion: z.string().nullable(),
  policyVersion: z.string().nullable().describe('Policy version that wrote the rejected reply, where it is known.'),
  model: z.string().nullable(),
  tenant: z.string().nullable(),
  createdAt: timestamp,
  feedback: z.string().nullable().describe("The user's turn; null with imported ones."),
});
const message = z.object({ role: z.enum(MESSAGE_ROLES), content: z.string() }).meta({ id: 'Message' });
const anchorSummary = anchorFields.meta({ id: 'AnchorSummary' });
const anchorCase = anchorFields
  .extend({
    prompt: z.array(message).describe('The conversation before the rejected reply, oldest first.'),
    rejected: z.string().describe('The reply that displeased.'),
  })
  .meta({ id: 'Anchor' });

const anchorQuery = z.strictObject({
  state: z.enum(ANCHOR_STATES).optional(),
  origin: z.enum(ANCHOR_ORIGINS).default('observed'),
  rubric: z.enum(RUBRICS).optional(),
  since: z.iso.datetime({ offset: true }).optional().describe('Created at this time or later.'),
  cursor: z.uuid().optional().describe('`nextCursor` of the page before.'),
  limit,
});
const anchorParams = z.object({ id: z.uuid() });

@ApiTags('anchors')
@Controller('v1/anchors')
export class AnchorController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  @ApiOperation({ summary: 'Anchors, newest first' })
  @Answers(pageSchema(anchorSummary), 'A page of anchors.')
  async listAnchors(@Query({ schema: anchorQuery }) query: z.output<typeof anchorQuery>) {
    const { cursor, since, limit, ...filter } = query;
    const rows = await listAnchors(this.dataSource, {
      ...filter,
      since: since === undefined ? undefined : new Date(since),
      after: cursor,
      limit: limit + 1,
    });
    if (rows.length === 0 && cursor && !(await isKnown(this.dataSource, cursor)))
      throw new InvalidInput(UNKNOWN_CURSOR);
    return pageOf(rows, limit, (anchor) => anchor.id);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One anchor with prompt, rejected reply and feedback' })
  @Answers(anchorCase, 'The anchor.')
  getAnchor(@Param({ schema: anchorParams }) { id }: z.output<typeof anchorParams>) {
    return readAnchorCase(this.dataSource, id);
  }
}

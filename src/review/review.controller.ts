import { Body, Controller, Get, Header, HttpCode, Inject, Post, Query, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { ANCHOR_STATES, MESSAGE_ROLES } from '../anchor/anchor.js';
import { Answers } from '../api/answers.js';
import { timestamp } from '../api/schemas.js';
import { CONFIG, type ServiceConfig } from '../config/config.module.js';
import { LABELS, RUBRICS } from '../dsat/verdict.js';
import { leaseReviews } from './lease-reviews.js';
import { readAgreement } from './read-agreement.js';
import { recordReview } from './record-review.js';
import { REVIEW_CONFIDENCES, REVIEW_STRATA } from './review.js';
import { ReviewerGuard, type ReviewerRequest } from './reviewer.guard.js';

const MAX_TASKS = 50;
const MAX_TURN = 2 ** 31 - 1;

const queueQuery = z.strictObject({
  stratum: z
    .enum(REVIEW_STRATA)
    .default('uncertain')
    .describe(
      '`uncertain`: those of which the classifier is least sure, first. `random`: any, so that shares can be told.',
    ),
  limit: z.coerce.number().int().min(1).max(MAX_TASKS).default(1),
});

const task = z
  .object({
    conversationId: z.string(),
    turn: z.number().int().describe('Index of the user turn to judge.'),
    lease: z.uuid().describe('To be sent with the review.'),
    leasedUntil: timestamp,
    stratum: z.enum(REVIEW_STRATA),
    messages: z
      .array(z.object({ role: z.enum(MESSAGE_ROLES), content: z.string() }))
      .describe('The user turn before the reply, where there is one; the reply; the turn to judge.'),
  })
  .meta({ id: 'ReviewTask' });
const queue = z.object({ items: z.array(task) }).meta({ id: 'ReviewTasks' });

const reviewRequest = z
  .strictObject({
    conversationId: z.string().min(1).max(512),
    turn: z.number().int().min(1).max(MAX_TURN),
    lease: z.uuid(),
    label: z.enum(LABELS),
    rubric: z.enum(RUBRICS).nullable().default(null).describe('Why it is dsat; null otherwise.'),
    confidence: z.enum(REVIEW_CONFIDENCES),
  })
  .refine(({ label, rubric }) => (label === 'dsat') === (rubric !== null), {
    path: ['rubric'],
    message: 'a dsat turn needs one, and no other has one',
  })
  .meta({ id: 'Review' });

const reviewed = z
  .object({
    verdict: z
      .object({ label: z.enum(LABELS), rubric: z.enum(RUBRICS).nullable(), abstained: z.boolean() })
      .describe('What the reviews of the turn come to; it abstains while they do not agree.'),
    anchor: z
      .object({ id: z.uuid(), state: z.enum(ANCHOR_STATES) })
      .nullable()
      .describe('Of the turn; null where there is none.'),
  })
  .meta({ id: 'ReviewedTurn' });

const agreementFields = {
  turns: z.number().int(),
  agreement: z.number().describe('Share of the turns on which both say the same.'),
  kappa: z.number().nullable().describe("Cohen's kappa; null where chance alone would agree on everything."),
};
const agreement = z
  .object({
    reviews: z.number().int(),
    turns: z.number().int(),
    shared: z.number().int().describe('Turns that two or more reviewed.'),
    reviewers: z.array(z.object({ reviewers: z.tuple([z.string(), z.string()]), ...agreementFields })),
    classifier: z.array(
      z.object({ classifierVersion: z.string(), stratum: z.enum(REVIEW_STRATA), ...agreementFields }),
    ),
  })
  .meta({ id: 'ReviewAgreement' });

@ApiTags('reviews')
@Controller('v1/reviews')
@UseGuards(ReviewerGuard)
@ApiBearerAuth('reviewer')
export class ReviewController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CONFIG) private readonly config: ServiceConfig,
  ) {}

  @Get()
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: "Turns to review, which are this reviewer's for some minutes" })
  @Answers(queue, 'The turns; none where nothing is left to review.')
  async leaseReviews(
    @Query({ schema: queueQuery }) query: z.output<typeof queueQuery>,
    @Req() { reviewer }: ReviewerRequest,
  ) {
    return { items: await leaseReviews(this.dataSource, { ...query, reviewer }, this.config.review) };
  }

  @Get('agreement')
  @ApiOperation({ summary: 'How reviewers agree with each other, and with the classifier' })
  @Answers(agreement, 'The agreement so far.')
  getAgreement() {
    return readAgreement(this.dataSource);
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'A review of a turn that was given; the verdict follows' })
  @Answers(reviewed, 'What the reviews of the turn come to.')
  postReview(
    @Body({ schema: reviewRequest }) body: z.output<typeof reviewRequest>,
    @Req() { reviewer }: ReviewerRequest,
  ) {
    return recordReview(this.dataSource, reviewer, body);
  }
}

import {
  Body,
  Controller,
  Headers,
  HttpCode,
  Post,
  Req,
  UnprocessableEntityException,
  UseGuards,
} from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answers } from '../../api/answers.js';
import { InvalidInput } from '../../api/problem.filter.js';
import { ApiKeyGuard, type KeyedRequest } from './api-key.guard.js';
import { TurnIntake } from './turn-intake.js';
import { type TurnsAnswer, type TurnsRequest, turnsAnswerSchema, turnsRequestSchema } from './turns-request.js';

const keySchema = z.string().min(1).max(255).optional();

@ApiTags('turns')
@Controller('v1/turns')
@UseGuards(ApiKeyGuard)
export class TurnsController {
  constructor(private readonly intake: TurnIntake) {}

  @Post()
  @HttpCode(202)
  @ApiBearerAuth()
  @ApiHeader({
    name: 'idempotency-key',
    required: false,
    schema: { type: 'string', minLength: 1, maxLength: 255 },
    description: 'Makes it the same request when it comes again within 24 hours: it is answered the same.',
  })
  @ApiOperation({ summary: 'Turns, feedback and reviews, for those who do not produce to Kafka' })
  @Answers(turnsAnswerSchema, 'What became of each event. The accepted ones are in Kafka.', 202)
  async postTurns(
    @Body({ schema: turnsRequestSchema }) body: TurnsRequest,
    @Headers('idempotency-key') given: string | undefined,
    @Req() { apiKey }: KeyedRequest,
  ): Promise<TurnsAnswer> {
    const key = keySchema.safeParse(given);
    if (!key.success) throw new InvalidInput([{ path: 'idempotency-key', message: key.error.issues[0]!.message }]);
    const taken = await this.intake.take(body, apiKey, key.data);
    if (taken.outcome === 'other-request') {
      throw new UnprocessableEntityException('This Idempotency-Key was used for another request.');
    }
    if (taken.answer.accepted === 0) throw new InvalidInput(problemsOf(taken.answer), 422);
    return taken.answer;
  }
}

function problemsOf({ items }: TurnsAnswer) {
  return items.map((item, index) => ({
    path: `events.${index}`,
    message: item.outcome === 'rejected' ? item.detail : '',
  }));
}

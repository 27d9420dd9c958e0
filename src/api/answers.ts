import { applyDecorators, SerializeOptions } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** What a handler answers: the schema forms and checks the response, and describes it in the OpenAPI document. */
export function Answers(schema: z.ZodType, description: string, status = 200): MethodDecorator {
  return applyDecorators(
    SerializeOptions({ schema }),
    ApiResponse({ status, standardSchema: schema, description }),
    ApiResponse({ status: '4XX', content: PROBLEM, description: 'The request cannot be answered (RFC 9457).' }),
    ApiResponse({ status: '5XX', content: PROBLEM, description: 'The service cannot answer (RFC 9457).' }),
  );
}

import { applyDecorators, SerializeOptions } from '@nestjs/common';
import { ApiDefaultResponse, ApiOkResponse } from '@nestjs/swagger';
import type { z } from 'zod';

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** What a handler answers: the schema forms and checks the response, and describes it in the OpenAPI document. */
export function Answers(schema: z.ZodType, description: string): MethodDecorator {
  return applyDecorators(
    SerializeOptions({ schema }),
    ApiOkResponse({ standardSchema: schema, description }),
    ApiDefaultResponse({ content: PROBLEM, description: 'What went wrong (RFC 9457).' }),
  );
}

import { Module, StandardSchemaSerializerInterceptor, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE, Reflector } from '@nestjs/core';
import { AnchorController } from '../anchor/anchor.controller.js';
import { HttpIngestModule } from '../chat-log/http/http-ingest.module.js';
import { PolicyController } from '../policy/policy.controller.js';
import { ReviewController } from '../review/review.controller.js';
import { RunController } from '../training/run.controller.js';
import { OpenApiController } from './openapi.controller.js';
import { InvalidInput, ProblemFilter } from './problem.filter.js';

/** The HTTP API: what the `api` role adds to a service. */
@Module({
  imports: [HttpIngestModule],
  controllers: [AnchorController, RunController, PolicyController, ReviewController, OpenApiController],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useFactory: validation },
    {
      provide: APP_INTERCEPTOR,
      inject: [Reflector],
      useFactory: (reflector: Reflector) => new StandardSchemaSerializerInterceptor(reflector),
    },
  ],
})
export class ApiModule {}

function validation(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues) =>
      new InvalidInput(issues.map(({ path = [], message }) => ({ path: path.map(segment).join('.'), message }))),
  });
}

function segment(part: PropertyKey | { key: PropertyKey }): string {
  return String(typeof part === 'object' ? part.key : part);
}

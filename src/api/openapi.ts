import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { problemSchema } from './schemas.js';

/** The OpenAPI document of an application's controllers, made from the schemas that check its input and output. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const info = new DocumentBuilder()
    .setTitle('Driftloop')
    .setDescription('Anchors, runs and policy versions of a Driftloop service.')
    .setVersion('1')
    .addServer('/')
    .addBearerAuth({ type: 'http', bearerFormat: 'API key', description: 'One of DRIFTLOOP_INGEST_API_KEYS.' })
    .addBearerAuth({ type: 'http', bearerFormat: 'API key', description: 'A key of DRIFTLOOP_REVIEWERS.' }, 'reviewer');
  const document = SwaggerModule.createDocument(app, info.build(), {
    operationIdFactory: (_controller, method) => method,
  });
  document.security = []; // reading needs no authentication: keep the port inside of the cluster
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, Problem: problemJsonSchema() };
  return document;
}

function problemJsonSchema() {
  return z.toJSONSchema(problemSchema, { target: 'openapi-3.0', io: 'output' }) as Record<string, unknown>;
}

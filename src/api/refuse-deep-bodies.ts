import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { MAX_DEPTH } from '../chat-log/nesting.js';

/** Refuses a body that nests more deeply than any input does, before something walks through it. */
export function refuseDeepBodies(app: NestFastifyApplication): void {
  const detail = `The body nests over ${MAX_DEPTH} levels.`;
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('preValidation', async (request, reply) => {
      if (!isDeeper(request.body, MAX_DEPTH)) return undefined;
      const problem = { type: 'about:blank', title: 'Bad Request', status: 400, detail };
      return reply.code(400).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
    });
}

/** Level by level, so that depth costs no stack. */
function isDeeper(value: unknown, levels: number): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === levels) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

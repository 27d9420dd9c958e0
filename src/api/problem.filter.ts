import { STATUS_CODES } from 'node:http';
import { ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DriftError, type DriftErrorCode } from '../drift-error.js';
import type { Problem } from './schemas.js';

const STATUS_OF: Partial<Record<DriftErrorCode, number>> = {
  usage: 400,
  'record-invalid': 400,
  'not-found': 404,
  conflict: 409,
  'record-too-large': 413,
  'record-refused': 422,
  'database-unavailable': 503,
  'broker-unavailable': 503,
};

const HEADERS_OF: Record<number, Record<string, string>> = {
  401: { 'www-authenticate': 'Bearer' },
  503: { 'retry-after': '5' },
};

/** An input that its schema refused. */
export class InvalidInput extends HttpException {
  constructor(
    readonly errors: NonNullable<Problem['errors']>,
    status = 400,
  ) {
    super('The request is not valid.', status);
  }
}

/** Answers every error as `application/problem+json` (RFC 9457). What is not the client's is logged, not told. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('api');

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const problem = problemOf(error);
    if (problem.status >= 500) this.logger.error(error instanceof Error ? error : String(error));
    const response = host.switchToHttp().getResponse();
    const headers = { 'content-type': 'application/problem+json', ...HEADERS_OF[problem.status] };
    for (const [name, value] of Object.entries(headers)) this.adapterHost.httpAdapter.setHeader(response, name, value);
    this.adapterHost.httpAdapter.reply(response, problem, problem.status);
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof InvalidInput) return problem(error.getStatus(), error.message, error.errors);
  if (error instanceof HttpException) return problem(error.getStatus(), error.message);
  const status = error instanceof DriftError ? (STATUS_OF[error.code] ?? 500) : 500;
  return status < 500 ? problem(status, (error as DriftError).message) : problem(status);
}

function problem(status: number, detail?: string, errors?: Problem['errors']): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, errors };
}

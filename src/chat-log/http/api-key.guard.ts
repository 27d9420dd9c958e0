import { hash, timingSafeEqual } from 'node:crypto';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import { CONFIG, type ServiceConfig } from '../../config/config.module.js';

/** A request that came with one of the API keys. */
export interface KeyedRequest {
  headers: Record<string, string | undefined>;
  apiKey: string;
}

/** Lets requests in that have an API key as their bearer token. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly known: Buffer[];

  constructor(@Inject(CONFIG) { ingestApiKeys }: ServiceConfig) {
    this.known = ingestApiKeys.map(digest);
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.known.length === 0) {
      throw new NotFoundException('Turns are not taken over HTTP here: DRIFTLOOP_INGEST_API_KEYS is not set.');
    }
    const request = context.switchToHttp().getRequest<KeyedRequest>();
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const given = digest(token ?? '');
    if (!token || !this.known.some((key) => timingSafeEqual(key, given))) {
      throw new UnauthorizedException('An API key is needed: `Authorization: Bearer KEY`.');
    }
    request.apiKey = token;
    return true;
  }
}

const digest = (text: string) => hash('sha256', text, 'buffer');

import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import { BearerKeys } from '../../api/bearer-keys.js';
import { CONFIG, type ServiceConfig } from '../../config/config.module.js';

/** A request that came with one of the API keys. */
export interface KeyedRequest {
  headers: Record<string, string | undefined>;
  apiKey: string;
}

/** Lets requests in that have an API key as their bearer token. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly keys: BearerKeys<string>;

  constructor(@Inject(CONFIG) { ingestApiKeys }: ServiceConfig) {
    this.keys = new BearerKeys(ingestApiKeys.map((key) => ({ key, value: key })));
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.keys.none) {
      throw new NotFoundException('Turns are not taken over HTTP here: DRIFTLOOP_INGEST_API_KEYS is not set.');
    }
    const request = context.switchToHttp().getRequest<KeyedRequest>();
    const key = this.keys.find(request.headers.authorization);
    if (!key) throw new UnauthorizedException('An API key is needed: `Authorization: Bearer KEY`.');
    request.apiKey = key;
    return true;
  }
}

import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import { BearerKeys } from '../api/bearer-keys.js';
import { CONFIG, type ServiceConfig } from '../config/config.module.js';

/** A request of a reviewer. */
export interface ReviewerRequest {
  headers: Record<string, string | undefined>;
  reviewer: string;
}

/** Lets reviewers in, and tells who it is by the key. */
@Injectable()
export class ReviewerGuard implements CanActivate {
  private readonly keys: BearerKeys<string>;

  constructor(@Inject(CONFIG) { reviewers }: ServiceConfig) {
    this.keys = new BearerKeys(reviewers.map(({ name, key }) => ({ key, value: name })));
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.keys.none) throw new NotFoundException('Nobody reviews here: DRIFTLOOP_REVIEWERS is not set.');
    const request = context.switchToHttp().getRequest<ReviewerRequest>();
    const reviewer = this.keys.find(request.headers.authorization);
    if (!reviewer) throw new UnauthorizedException("A reviewer's key is needed: `Authorization: Bearer KEY`.");
    request.reviewer = reviewer;
    return true;
  }
}

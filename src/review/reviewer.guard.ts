import { hash, timingSafeEqual } from 'node:crypto';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import { CONFIG, type ServiceConfig } from '../config/config.module.js';

/** A request of a reviewer. */
export interface ReviewerRequest {
  headers: Record<string, string | undefined>;
  reviewer: string;
}

/** Lets reviewers in, and tells who it is by the key. */
@Injectable()
export class ReviewerGuard implements CanActivate {
  private readonly known: { name: string; digest: Buffer }[];

  constructor(@Inject(CONFIG) { reviewers }: ServiceConfig) {
    this.known = reviewers.map(({ name, key }) => ({ name, digest: digestOf(key) }));
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.known.length === 0) throw new NotFoundException('Nobody reviews here: DRIFTLOOP_REVIEWERS is not set.');
    const request = context.switchToHttp().getRequest<ReviewerRequest>();
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const given = digestOf(token ?? '');
    const reviewer = this.known.find(({ digest }) => timingSafeEqual(digest, given));
    if (!token || !reviewer) {
      throw new UnauthorizedException("A reviewer's key is needed: `Authorization: Bearer KEY`.");
    }
    request.reviewer = reviewer.name;
    return true;
  }
}

const digestOf = (text: string) => hash('sha256', text, 'buffer');

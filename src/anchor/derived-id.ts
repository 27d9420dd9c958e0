import { hash } from 'node:crypto';

/** A UUID (version 8, RFC 9562) that follows from what it names: whoever writes the row again writes the same row. */
export function derivedId(kind: 'anchor' | 'seed-pair', conversationId: string, turn: number): string {
  const digest = hash('sha256', JSON.stringify([kind, conversationId, turn]));
  const variant = '89ab'[Number.parseInt(digest[16]!, 16) % 4];
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
}
